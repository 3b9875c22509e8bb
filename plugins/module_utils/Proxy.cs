// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Win32;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

namespace ansible_collections.edefter.ready.plugins.module_utils.Proxy
{
	/// <summary>Section `proxy`: every place of Windows where a proxy can be set, all from the registry. Twin of proxy.py.</summary>
	public static class Proxy
	{
		public const int MaxProxies = 4;
		private const int MaxConfigs = 32;
		private static readonly char[] Blanks = new char[] { ' ', '\t', '\r', '\n', '\v', '\f' };
		private const string Settings = @"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
		private const string Policies = @"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			List<Dictionary<string, object>> configs = Configurations();
			bool pac = false;
			bool wpad = false;
			List<object> plain = new List<object>();
			foreach (Dictionary<string, object> config in configs)
			{
				pac = pac || !string.IsNullOrEmpty(config["pac_url"] as string);
				wpad = wpad || true.Equals(config["auto_detect"]);
				plain.Add(config);
			}
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["configs"] = plain;
			List<object> proxies = new List<object>();
			foreach (Dictionary<string, object> proxy in Distinct(configs)) { proxies.Add(proxy); }
			result["proxies"] = proxies;
			result["pac"] = pac;
			result["wpad"] = wpad;
			return result;
		}

		/// <summary>In order of precedence: policy, machine-wide, each loaded user, WinHTTP, environment.</summary>
		public static List<Dictionary<string, object>> Configurations()
		{
			List<Dictionary<string, object>> result = new List<Dictionary<string, object>>();
			long? perUser = Reg.Num(Policies, "ProxySettingsPerUser");
			bool perMachine = perUser.HasValue && perUser.Value == 0;
			Add(result, "policy_machine", null, perMachine, delegate() { return WinInet(RegistryHive.LocalMachine, Policies, false); });
			Add(result, "wininet_machine", null, perMachine, delegate()
			{
				Dictionary<string, object> config = WinInet(RegistryHive.LocalMachine, Settings, true);
				// Without the policy nobody looks at the machine's own values.
				if (config != null && !perMachine) { config["enabled"] = false; }
				return config;
			});
			foreach (string sid in Hives())
			{
				string user = sid;
				Add(result, "policy_user", user, null, delegate() { return WinInet(RegistryHive.Users, user + "\\" + Policies, false); });
				Add(result, "wininet_user", user, null, delegate()
				{
					Dictionary<string, object> config = WinInet(RegistryHive.Users, user + "\\" + Settings, true);
					if (config != null && perMachine) { config["enabled"] = false; }
					return config;
				});
			}
			Add(result, "winhttp", null, true, WinHttp);
			foreach (string name in new string[] { "https_proxy", "http_proxy", "all_proxy" })
			{
				string wanted = name;
				Add(result, "environment", null, true, delegate() { return Environment(wanted); });
			}
			return result;
		}

		private delegate Dictionary<string, object> Reader();

		private static void Add(List<Dictionary<string, object>> result, string source, string user, object perMachine, Reader read)
		{
			if (result.Count >= MaxConfigs) { return; }
			Dictionary<string, object> config;
			try { config = read(); }
			catch (System.Security.SecurityException error) { config = Blank(); config["error"] = Fault.From("registry", error); }
			catch (UnauthorizedAccessException error) { config = Blank(); config["error"] = Fault.From("registry", error); }
			catch (System.IO.IOException error) { config = Blank(); config["error"] = Fault.From("registry", error); }
			if (config == null) { return; }
			config["source"] = source;
			config["user"] = user;
			config["per_machine"] = perMachine;
			result.Add(config);
		}

		private static Dictionary<string, object> Blank()
		{
			Dictionary<string, object> config = new Dictionary<string, object>();
			config["enabled"] = false;
			config["server"] = null;
			config["bypass"] = new List<object>();
			config["pac_url"] = null;
			config["auto_detect"] = null;
			config["by_scheme"] = new Dictionary<string, object>();
			config["credentials_removed"] = false;
			config["error"] = null;
			return config;
		}

		/// <summary>Users whose registry is loaded (signed in), and the accounts that services run under.</summary>
		private static List<string> Hives()
		{
			List<string> result = new List<string>();
			foreach (string name in Reg.SubKeys(RegistryHive.Users, ""))
			{
				bool user = name.StartsWith("S-1-", StringComparison.OrdinalIgnoreCase) && !name.EndsWith("_Classes", StringComparison.OrdinalIgnoreCase);
				if (user) { result.Add(name.ToUpperInvariant()); }
			}
			result.Sort(StringComparer.Ordinal);
			return result;
		}

		private static Dictionary<string, object> WinInet(RegistryHive hive, string path, bool withConnections)
		{
			Dictionary<string, object> values = Reg.Values(hive, path);
			if (values == null) { return null; }
			Dictionary<string, object> config = Blank();
			string server = Get(values, "ProxyServer") as string;
			string bypass = Get(values, "ProxyOverride") as string;
			string pac = Get(values, "AutoConfigURL") as string;
			bool enabled = 1L.Equals(Get(values, "ProxyEnable"));
			object detect = Get(values, "AutoDetect");
			object auto = detect is long ? (object)((long)detect == 1) : null;
			if (withConnections)
			{
				// Automatic detection is a flag in this blob; the values beside it are copies that the settings page writes.
				Dictionary<string, object> connections = Reg.Values(hive, path + "\\Connections");
				Blob blob = Blob.Parse(connections == null ? null : Get(connections, "DefaultConnectionSettings"));
				if (blob != null) { auto = (blob.Flags & 8) != 0; }
			}
			if (server == null && pac == null && auto == null && !enabled) { return null; }
			Fill(config, server, bypass, enabled);
			config["pac_url"] = string.IsNullOrEmpty(pac) ? null : Text.Bound(WithoutCredentials(pac), 300);
			config["auto_detect"] = auto;
			return config;
		}

		private static Dictionary<string, object> WinHttp()
		{
			Dictionary<string, object> values = Reg.Values(Settings + "\\Connections");
			Blob blob = values == null ? null : Blob.Parse(Get(values, "WinHttpSettings"));
			if (blob == null) { return null; }
			Dictionary<string, object> config = Blank();
			Fill(config, blob.Server, blob.Bypass, (blob.Flags & 2) != 0);
			return config;
		}

		private static Dictionary<string, object> Environment(string name)
		{
			Dictionary<string, object> values = Reg.Values(@"SYSTEM\CurrentControlSet\Control\Session Manager\Environment");
			if (values == null) { return null; }
			string server = null;
			string bypass = null;
			foreach (KeyValuePair<string, object> entry in values)
			{
				if (string.Equals(entry.Key, name, StringComparison.OrdinalIgnoreCase)) { server = entry.Value as string; }
				if (string.Equals(entry.Key, "no_proxy", StringComparison.OrdinalIgnoreCase)) { bypass = entry.Value as string; }
			}
			if (string.IsNullOrEmpty(server)) { return null; }
			Dictionary<string, object> config = Blank();
			string scheme = name.Substring(0, name.IndexOf('_'));
			bool removed;
			string place = HostPort(server, out removed);
			config["enabled"] = place != null;
			config["server"] = removed || place == null ? place : Text.Bound(server, 300);
			config["bypass"] = Split(bypass);
			config["credentials_removed"] = removed;
			Dictionary<string, object> schemes = (Dictionary<string, object>)config["by_scheme"];
			if (place != null) { foreach (string one in scheme == "all" ? new string[] { "https", "http" } : new string[] { scheme }) { schemes[one] = place; } }
			return config;
		}

		/// <summary>WinINET's way of writing: "host:port" for everything, or "http=h:p;https=h:p;ftp=…;socks=…".</summary>
		private static void Fill(Dictionary<string, object> config, string server, string bypass, bool enabled)
		{
			Dictionary<string, object> schemes = new Dictionary<string, object>();
			bool removed = false;
			List<string> shown = new List<string>();
			foreach (string part in Words(server))
			{
				int equals = part.IndexOf('=');
				string scheme = equals < 0 ? null : part.Substring(0, equals).Trim().ToLowerInvariant();
				bool cut;
				string place = HostPort(equals < 0 ? part : part.Substring(equals + 1), out cut);
				removed = removed || cut;
				shown.Add((scheme == null ? "" : scheme + "=") + (cut || place == null ? place ?? "?" : part.Substring(equals + 1)));
				if (place == null) { continue; }
				if (scheme == null) { foreach (string one in new string[] { "https", "http" }) { if (!schemes.ContainsKey(one)) { schemes[one] = place; } } }
				else if (scheme == "https" || scheme == "http") { schemes[scheme] = place; }
			}
			config["enabled"] = enabled && schemes.Count > 0;
			config["server"] = shown.Count == 0 ? null : Text.Bound(string.Join(";", shown.ToArray()), 300);
			config["bypass"] = Split(bypass);
			config["by_scheme"] = schemes;
			config["credentials_removed"] = removed;
		}

		private static object Get(Dictionary<string, object> values, string name)
		{
			foreach (KeyValuePair<string, object> entry in values) { if (string.Equals(entry.Key, name, StringComparison.OrdinalIgnoreCase)) { return entry.Value; } }
			return null;
		}

		private static string[] Words(string text)
		{
			return (text ?? "").Split(new char[] { ';', ',', ' ', '\t', '\r', '\n' }, StringSplitOptions.RemoveEmptyEntries);
		}

		private static List<object> Split(string bypass)
		{
			List<object> result = new List<object>();
			foreach (string part in Words(bypass)) { if (result.Count < 64) { result.Add(Text.Bound(part, 255)); } }
			return result;
		}

		private static string WithoutCredentials(string url)
		{
			return Regex.Replace(url, "^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@", "$1", RegexOptions.CultureInvariant);
		}

		/// <summary>"host:port" of a proxy as people write it; null when it is none. removed: whether user and password were cut off.</summary>
		public static string HostPort(string text, out bool removed)
		{
			string rest = (text ?? "").Trim(Blanks);
			string port = "80";
			Match scheme = Regex.Match(rest, "^([A-Za-z][A-Za-z0-9+.-]*)://", RegexOptions.CultureInvariant);
			if (scheme.Success)
			{
				rest = rest.Substring(scheme.Length);
				if (string.Equals(scheme.Groups[1].Value, "https", StringComparison.OrdinalIgnoreCase)) { port = "443"; }
			}
			int end = rest.IndexOfAny(new char[] { '/', '?', '#' });
			if (end >= 0) { rest = rest.Substring(0, end); }
			int at = rest.LastIndexOf('@');
			removed = at > 0;
			string place = at < 0 ? rest : rest.Substring(at + 1);
			if (!Regex.IsMatch(place, ":[0-9]+\\z", RegexOptions.CultureInvariant)) { place += ":" + port; }
			Match match = Regex.Match(place, "^(\\[[0-9A-Fa-f:.]{2,45}\\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})\\z", RegexOptions.CultureInvariant);
			if (!match.Success) { return null; }
			int number = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
			if (number < 1 || number > 65535) { return null; }
			return match.Groups[1].Value.ToLowerInvariant() + ":" + number.ToString(CultureInfo.InvariantCulture);
		}

		/// <summary>Whether name fits pattern, `*` standing for any text. Linear in practice: it goes back to the last star only.</summary>
		public static bool Matches(string pattern, string name)
		{
			int at = 0;
			int star = -1;
			int mark = 0;
			int position = 0;
			while (position < name.Length)
			{
				if (at < pattern.Length && pattern[at] == '*')
				{
					star = at++;
					mark = position;
				}
				else if (at < pattern.Length && pattern[at] == name[position])
				{
					at++;
					position++;
				}
				else if (star >= 0)
				{
					position = ++mark;
					at = star + 1;
				}
				else { return false; }
			}
			return pattern.Substring(at).Trim('*').Length == 0;
		}

		/// <summary>Whether a bypass list takes host past the proxy: `*` as wildcard, `&lt;local&gt;` for names without a dot, `.suffix`, `suffix`.</summary>
		public static bool Bypassed(string host, IEnumerable<object> patterns)
		{
			string name = host.TrimEnd('.').ToLowerInvariant();
			foreach (object raw in patterns)
			{
				string pattern = ((string)raw).Trim(Blanks).ToLowerInvariant();
				if (pattern.Length == 0) { continue; }
				if (pattern == "<local>")
				{
					if (name.IndexOf('.') < 0 && name.IndexOf(':') < 0) { return true; }
					continue;
				}
				if (pattern.IndexOf('*') >= 0)
				{
					if (Matches(pattern, name)) { return true; }
					continue;
				}
				pattern = Regex.Replace(pattern, "^[a-z]+://", "", RegexOptions.CultureInvariant).TrimStart('.');
				if (name == pattern || name.EndsWith("." + pattern, StringComparison.Ordinal)) { return true; }
			}
			return false;
		}

		/// <summary>The proxies of the enabled configurations, each once, in order of precedence.</summary>
		public static List<Dictionary<string, object>> Distinct(IEnumerable<Dictionary<string, object>> configs)
		{
			List<Dictionary<string, object>> result = new List<Dictionary<string, object>>();
			foreach (Dictionary<string, object> config in configs)
			{
				if (!true.Equals(config["enabled"])) { continue; }
				foreach (KeyValuePair<string, object> pair in (Dictionary<string, object>)config["by_scheme"])
				{
					Dictionary<string, object> entry = null;
					foreach (Dictionary<string, object> other in result) { if (pair.Value.Equals(other["proxy"])) { entry = other; } }
					if (entry == null)
					{
						entry = new Dictionary<string, object>();
						entry["proxy"] = pair.Value;
						entry["schemes"] = new List<object>();
						entry["sources"] = new List<object>();
						entry["users"] = new List<object>();
						result.Add(entry);
					}
					Once(entry["schemes"], pair.Key);
					Once(entry["sources"], config["source"]);
					Once(entry["users"], config["user"]);
				}
			}
			return result;
		}

		/// <summary>The proxies that programs here would use for this host, at most MaxProxies.</summary>
		public static List<Dictionary<string, object>> ForTarget(IEnumerable<Dictionary<string, object>> configs, string scheme, string host)
		{
			List<Dictionary<string, object>> used = new List<Dictionary<string, object>>();
			foreach (Dictionary<string, object> config in configs)
			{
				if (true.Equals(config["enabled"]) && !Bypassed(host, (List<object>)config["bypass"])) { used.Add(config); }
			}
			List<Dictionary<string, object>> result = new List<Dictionary<string, object>>();
			foreach (Dictionary<string, object> proxy in Distinct(used))
			{
				if (result.Count < MaxProxies && ((List<object>)proxy["schemes"]).Contains(scheme)) { result.Add(proxy); }
			}
			return result;
		}

		private static void Once(object list, object value)
		{
			List<object> items = (List<object>)list;
			if (value != null && !items.Contains(value)) { items.Add(value); }
		}
	}

	/// <summary>
	/// WinHttpSettings and DefaultConnectionSettings: four-byte numbers (form, counter, flags), then length and text of the proxy,
	/// the bypass list and, with the latter, the PAC address. Flags: 1 direct, 2 proxy, 4 PAC, 8 automatic detection.
	/// </summary>
	public sealed class Blob
	{
		public long Flags;
		public string Server;
		public string Bypass;
		public string Pac;

		/// <summary>null when it is none. Lengths are checked; nothing beyond the end is read.</summary>
		public static Blob Parse(object value)
		{
			Dictionary<string, object> box = value as Dictionary<string, object>;
			string hex = box == null || !box.ContainsKey("hex") ? null : box["hex"] as string;
			if (hex == null || hex.Length < 24) { return null; }
			byte[] bytes = new byte[hex.Length / 2];
			for (int i = 0; i < bytes.Length; i++)
			{
				if (!byte.TryParse(hex.Substring(2 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i])) { return null; }
			}
			Blob result = new Blob();
			result.Flags = Number(bytes, 8);
			int pos = 12;
			result.Server = Piece(bytes, ref pos);
			result.Bypass = Piece(bytes, ref pos);
			result.Pac = Piece(bytes, ref pos);
			return result;
		}

		private static long Number(byte[] bytes, int at)
		{
			return (long)bytes[at] | ((long)bytes[at + 1] << 8) | ((long)bytes[at + 2] << 16) | ((long)bytes[at + 3] << 24);
		}

		private static string Piece(byte[] bytes, ref int pos)
		{
			if (pos < 0 || pos + 4 > bytes.Length) { pos = -1; return null; }
			long length = Number(bytes, pos);
			pos += 4;
			if (length < 0 || length > bytes.Length - pos) { pos = -1; return null; }
			StringBuilder result = new StringBuilder();
			for (int i = pos; i < pos + length; i++) { result.Append((char)bytes[i]); }
			pos += (int)length;
			return result.Length == 0 ? null : Text.Bound(result.ToString(), 2048);
		}
	}
}
