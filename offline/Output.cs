// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.IO;
using System.Security;
using System.Text;

namespace EdefterKontrol
{
	/// <summary>The one file that this program writes. It comes whole into its place or not at all.</summary>
	internal sealed class Output
	{
		/// <summary>Where the file is; null: nowhere.</summary>
		public string Path;
		/// <summary>The first place that was tried and why it did not take the file; null: it did.</summary>
		public string Refused;
		public string Why;

		/// <summary>Tries the place that was asked for, the program's own folder, Documents and the temporary folder.</summary>
		public static Output Write(string asked, string name, string text)
		{
			Output result = new Output();
			foreach (string place in Places(asked, name))
			{
				try
				{
					Put(place, text);
					result.Path = place;
					return result;
				}
				catch (IOException error) { result.Note(place, error); }
				catch (UnauthorizedAccessException error) { result.Note(place, error); }
				catch (SecurityException error) { result.Note(place, error); }
				catch (ArgumentException error) { result.Note(place, error); }
				catch (NotSupportedException error) { result.Note(place, error); }
			}
			return result;
		}

		private static List<string> Places(string asked, string name)
		{
			List<string> places = new List<string>();
			if (asked != null) { places.Add(asked.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? asked : Joined(asked, name)); }
			places.Add(Joined(AppDomain.CurrentDomain.BaseDirectory, name));
			string documents = Environment.GetFolderPath(Environment.SpecialFolder.MyDocuments);
			if (!string.IsNullOrEmpty(documents)) { places.Add(Joined(documents, name)); }
			places.Add(Joined(System.IO.Path.GetTempPath(), name));
			return places;
		}

		private static string Joined(string folder, string name)
		{
			// Not Path.Combine: it throws on characters that a person may well have typed.
			return folder.TrimEnd('/', '\\') + System.IO.Path.DirectorySeparatorChar + name;
		}

		private static void Put(string path, string text)
		{
			string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path));
			if (!string.IsNullOrEmpty(folder)) { Directory.CreateDirectory(folder); }
			string scratch = path + ".yaz";
			try
			{
				File.WriteAllText(scratch, text, new UTF8Encoding(false));
				if (File.Exists(path)) { File.Delete(path); }
				File.Move(scratch, path);
			}
			catch
			{
				try { File.Delete(scratch); }
				catch (IOException) { }
				catch (UnauthorizedAccessException) { }
				throw;
			}
		}

		private void Note(string place, Exception error)
		{
			if (Refused != null) { return; }
			Refused = place;
			Why = error.Message;
		}
	}
}
