// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

namespace EdefterKontrol
{
	/// <summary>Reads an observation back for the summary. It says what happened, never what that means.</summary>
	internal static class Seen
	{
		private const int MostUnseen = 50;

		/// <summary>The key of the sentence that fits a target: how far the best attempt got.</summary>
		public static string Reach(IDictionary target)
		{
			int best = 0;
			bool named = Get(target, "dns") == null || List(target, "attempts").Count > 0;
			foreach (object item in List(target, "attempts")) { best = System.Math.Max(best, Stage(item as IDictionary)); }
			if (best == 4) { return "connects"; }
			foreach (object item in List(target, "proxy_attempts"))
			{
				if (Stage(item as IDictionary) == 4) { return "via_proxy"; }
			}
			if (best == 3) { return "no_http"; }
			if (best == 2) { return "no_tls"; }
			return named ? (List(target, "attempts").Count > 0 ? "no_tcp" : "not_tried") : "no_name";
		}

		/// <summary>0 nothing, 2 TCP, 3 TLS (or none needed), 4 an HTTP status.</summary>
		private static int Stage(IDictionary attempt)
		{
			if (attempt == null) { return 0; }
			IDictionary tcp = Get(attempt, "tcp") as IDictionary;
			IDictionary tls = Get(attempt, "tls") as IDictionary;
			IDictionary http = Get(attempt, "http") as IDictionary;
			if (http != null && Get(http, "status") != null) { return 4; }
			if (http != null) { return 3; }
			if (tls != null) { return Get(tls, "error") == null ? 3 : 2; }
			return tcp != null && Get(tcp, "error") == null ? 2 : 0;
		}

		/// <summary>Time sources that gave at least one sample or date.</summary>
		public static int Answered(IDictionary clock)
		{
			int count = 0;
			foreach (object item in List(clock, "sources"))
			{
				IDictionary source = item as IDictionary;
				if (source != null && (HasOne(source, "samples") || HasOne(source, "requests"))) { count++; }
			}
			return count;
		}

		private static bool HasOne(IDictionary source, string key)
		{
			foreach (object item in List(source, key))
			{
				IDictionary one = item as IDictionary;
				if (one != null && Get(one, "error") == null) { return true; }
			}
			return false;
		}

		/// <summary>
		/// Everything that this account or this machine kept back: sections that failed, and errors of the registry, of files and of
		/// Windows' interfaces inside the others. Errors of the network are results, not gaps.
		/// </summary>
		public static List<object> Unseen(IDictionary sections)
		{
			List<object> found = new List<object>();
			foreach (DictionaryEntry entry in sections)
			{
				IDictionary section = entry.Value as IDictionary;
				if (section == null) { continue; }
				string name = System.Convert.ToString(entry.Key, CultureInfo.InvariantCulture);
				IDictionary error = Get(section, "error") as IDictionary;
				if (error != null) { Add(found, name, error); }
				IDictionary data = Get(section, "data") as IDictionary;
				Walk(data, name, found, 0);
				IDictionary task = name == "time" ? Get(data, "task") as IDictionary : null;
				if (task != null && Get(task, "error") == null && Equals(Get(task, "state"), "unknown"))
				{
					// A folder that is closed to this account looks absent and raises nothing.
					Add(found, "time.task", Fault.Make("file", "not_visible", null, ""));
				}
			}
			return found;
		}

		private static void Walk(object value, string path, List<object> found, int depth)
		{
			if (depth > 12 || found.Count >= MostUnseen || value is string) { return; }
			IDictionary dict = value as IDictionary;
			if (dict != null)
			{
				string phase = Get(dict, "phase") as string;
				if (Get(dict, "code") is string && (phase == "registry" || phase == "file" || phase == "api"))
				{
					Add(found, path, dict);
					return;
				}
				foreach (DictionaryEntry entry in dict) { Walk(entry.Value, path + "." + entry.Key, found, depth + 1); }
				return;
			}
			IEnumerable many = value as IEnumerable;
			if (many == null) { return; }
			int index = 0;
			foreach (object item in many) { Walk(item, path + "[" + (index++).ToString(CultureInfo.InvariantCulture) + "]", found, depth + 1); }
		}

		private static void Add(List<object> found, string where, IDictionary error)
		{
			if (found.Count >= MostUnseen) { return; }
			Dictionary<string, object> one = new Dictionary<string, object>();
			one["where"] = where;
			one["phase"] = Get(error, "phase");
			one["code"] = Get(error, "code");
			found.Add(one);
		}

		public static object Get(IDictionary dict, string key)
		{
			return dict != null && dict.Contains(key) ? dict[key] : null;
		}

		public static List<object> List(IDictionary dict, string key)
		{
			List<object> result = new List<object>();
			object value = Get(dict, key);
			IEnumerable many = value is string ? null : value as IEnumerable;
			if (many != null) { foreach (object item in many) { result.Add(item); } }
			return result;
		}
	}
}
