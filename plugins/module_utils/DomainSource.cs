// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

namespace ansible_collections.edefter.ready.plugins.module_utils.DomainSource
{
	/// <summary>
	/// A domain member takes its time from a domain controller; so that one is measured along with the sources asked for, under the id
	/// `domain`. Whether the member's clock or the controller's is wrong is for the control node to tell.
	/// </summary>
	public static class DomainSource
	{
		public const string Id = "domain";
		private const string PolicyHistory = @"SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\History";

		/// <summary>Adds the controller to the sources of a member; leaves them alone on any other machine, or when they hold the id already.</summary>
		public static void AddTo(List<IDictionary> sources, int most)
		{
			if (sources.Count == 0 || sources.Count >= most) { return; }
			foreach (IDictionary source in sources)
			{
				if (string.Equals(Opt.Str(source, "id", ""), Id, StringComparison.Ordinal)) { return; }
			}
			string host = Controller();
			if (host == null) { return; }
			Dictionary<string, object> added = new Dictionary<string, object>();
			added["id"] = Id;
			added["host"] = host;
			added["port"] = 123;
			added["kind"] = "ntp";
			added["operator"] = Id;
			sources.Add(added);
		}

		/// <summary>
		/// The controller that this member last had its policies from, else the domain's name, which resolves to its controllers. Null: not
		/// a member, or not known. A controller itself (roles 4 and 5) has its own place in the hierarchy and is measured as a host.
		/// </summary>
		private static string Controller()
		{
			try
			{
				Dictionary<string, object> role = HostApi.HostApi.DomainRole();
				object number = role["machine_role"];
				long machine = number == null ? -1L : Convert.ToInt64(number, System.Globalization.CultureInfo.InvariantCulture);
				if (machine != 1L && machine != 3L) { return null; }
				string last = (Reg.Str(PolicyHistory, "DCName") ?? "").TrimStart('\\');
				return Name(last) ?? Name(role["dns_domain"] as string);
			}
			catch (Exception) { return null; }
		}

		private static string Name(string text)
		{
			if (string.IsNullOrEmpty(text) || text.Length > 253) { return null; }
			foreach (char c in text)
			{
				bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
				if (!good) { return null; }
			}
			return text;
		}
	}
}
