// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

namespace EdefterKontrol
{
	/// <summary>The command line. Nothing here is a secret, and nothing is asked for.</summary>
	internal sealed class Options
	{
		public string Firm = "";
		public string Branch = "";
		public string Out;
		public string Language = "tr";
		public bool Quiet;
		public bool NoWait;
		public bool Version;
		public bool Help;
		/// <summary>The option that was not understood; null: all were.</summary>
		public string Bad;

		public static Options Read(string[] args)
		{
			Options result = new Options();
			for (int i = 0; i < args.Length; i++)
			{
				string name = args[i];
				string value = null;
				int equals = name.IndexOf('=');
				if (equals > 0)
				{
					value = name.Substring(equals + 1);
					name = name.Substring(0, equals);
				}
				switch (name)
				{
					case "--quiet": result.Quiet = true; break;
					case "--no-wait": result.NoWait = true; break;
					case "--version": result.Version = true; break;
					case "--help": case "-h": case "/?": result.Help = true; break;
					case "--firm": case "--branch": case "--out": case "--lang":
						if (value == null && i + 1 < args.Length) { value = args[++i]; }
						if (!result.Set(name, value)) { result.Bad = args[i]; return result; }
						break;
					default: result.Bad = name; return result;
				}
			}
			return result;
		}

		private bool Set(string name, string value)
		{
			if (string.IsNullOrEmpty(value)) { return false; }
			switch (name)
			{
				case "--firm": Firm = Text.Bound(value, 100); return true;
				case "--branch": Branch = Text.Bound(value, 100); return true;
				case "--out": Out = value; return true;
				default:
					if (value != "tr" && value != "en") { return false; }
					Language = value;
					return true;
			}
		}
	}
}
