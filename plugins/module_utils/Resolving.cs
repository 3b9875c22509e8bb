// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

// Names as the system itself turns them into addresses: its look-up, its resolvers, its hosts file. Twin of resolving.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Resolving
{
	public static class SystemNames
	{
		public const int MaxResolvers = 8;

		/// <summary>What a program gets that simply connects: hosts file, caches, search order, all families. Takes as long as it takes.</summary>
		public static Dictionary<string, object> SystemLookup(string host, Deadline deadline)
		{
			double start = deadline.ElapsedMs;
			Dictionary<string, object> result = Outcome(null, null);
			List<object> addresses = (List<object>)result["addresses"];
			try
			{
				foreach (IPAddress address in System.Net.Dns.GetHostAddresses(host))
				{
					if (!addresses.Contains(address.ToString())) { addresses.Add(address.ToString()); }
				}
			}
			catch (SocketException error) { result["error"] = Fault.From("dns", error); }
			catch (ArgumentException error) { result["error"] = Fault.From("dns", error); }
			result["elapsed_ms"] = Text.Ms(deadline.ElapsedMs - start);
			return result;
		}

		/// <summary>`system` of docs/observation-endpoints.md, without an address yet.</summary>
		public static Dictionary<string, object> Outcome(Dictionary<string, object> error, object elapsedMs)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["addresses"] = new List<object>();
			result["error"] = error;
			result["elapsed_ms"] = elapsedMs;
			return result;
		}

		public static bool IsAddress(string text)
		{
			IPAddress address;
			// IPAddress.Parse also takes "1" and "0x7f.1"; a name is what does not look like an address to everybody.
			return text != null && IPAddress.TryParse(text, out address) && (text.IndexOf(':') >= 0 || text.Split('.').Length == 4);
		}

		/// <summary>Name servers of the interfaces that are up, in order, each once.</summary>
		public static List<string> Resolvers()
		{
			List<string> result = new List<string>();
			foreach (NetworkInterface item in NetworkInterface.GetAllNetworkInterfaces())
			{
				if (item.OperationalStatus != OperationalStatus.Up && item.OperationalStatus != OperationalStatus.Unknown) { continue; }
				foreach (string address in ResolversOf(item)) { if (!result.Contains(address) && result.Count < MaxResolvers) { result.Add(address); } }
			}
			return result;
		}

		public static List<string> ResolversOf(NetworkInterface item)
		{
			List<string> result = new List<string>();
			IPAddressCollection addresses;
			try { addresses = item.GetIPProperties().DnsAddresses; }
			catch (NetworkInformationException) { return result; }
			catch (NotImplementedException) { return result; }
			foreach (IPAddress address in addresses)
			{
				// fec0:0:0:ffff::1 to ::3 are what Windows puts where no IPv6 resolver is known; nobody is there.
				if (address.IsIPv6SiteLocal || result.Contains(address.ToString())) { continue; }
				result.Add(address.ToString());
			}
			return result;
		}
	}

	/// <summary>The hosts file, as the system reads it.</summary>
	public static class HostsFile
	{
		private const int MaxBytes = 1 << 20;

		public static string FilePath()
		{
			Answer answer = HostApi.HostApi.Override;
			string fake = answer == null ? null : answer("hosts_file", "") as string;
			if (fake != null) { return fake; }
			if (Environment.OSVersion.Platform == PlatformID.Unix) { return "/etc/hosts"; }
			// Malware likes to move it: Windows looks where this value says.
			string folder = Reg.Str(@"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "DataBasePath");
			if (!string.IsNullOrEmpty(folder)) { return Path.Combine(Environment.ExpandEnvironmentVariables(folder), "hosts"); }
			return Path.Combine(Environment.SystemDirectory, @"drivers\etc\hosts");
		}

		/// <summary>Entries {address, names, line}; lines: how many there are; error: what kept the file from being read.</summary>
		public static List<Dictionary<string, object>> Read(out long lines, out Dictionary<string, object> error)
		{
			lines = 0;
			error = null;
			string text;
			try
			{
				using (FileStream file = new FileStream(FilePath(), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
				{
					byte[] bytes = new byte[(int)Math.Min(MaxBytes, file.Length)];
					int have = 0;
					while (have < bytes.Length)
					{
						int got = file.Read(bytes, have, bytes.Length - have);
						if (got == 0) { break; }
						have += got;
					}
					text = new UTF8Encoding(false).GetString(bytes, 0, have).TrimStart('\uFEFF');
				}
			}
			catch (FileNotFoundException reason) { error = Fault.Make("hosts_file", "not_found", null, reason.Message); return new List<Dictionary<string, object>>(); }
			catch (DirectoryNotFoundException reason) { error = Fault.Make("hosts_file", "not_found", null, reason.Message); return new List<Dictionary<string, object>>(); }
			catch (UnauthorizedAccessException reason) { error = Fault.From("hosts_file", reason); return new List<Dictionary<string, object>>(); }
			catch (IOException reason) { error = Fault.From("hosts_file", reason); return new List<Dictionary<string, object>>(); }
			return Parse(text, out lines);
		}

		public static List<Dictionary<string, object>> Parse(string text, out long lines)
		{
			List<Dictionary<string, object>> result = new List<Dictionary<string, object>>();
			string[] all = text.Replace("\r\n", "\n").Replace('\r', '\n').Split('\n');
			lines = all.Length > 0 && all[all.Length - 1].Length == 0 ? all.Length - 1 : all.Length;
			for (int i = 0; i < all.Length; i++)
			{
				int comment = all[i].IndexOf('#');
				string line = comment < 0 ? all[i] : all[i].Substring(0, comment);
				string[] words = line.Split((char[])null, StringSplitOptions.RemoveEmptyEntries);
				if (words.Length < 2 || !SystemNames.IsAddress(words[0])) { continue; }
				List<object> names = new List<object>();
				for (int n = 1; n < words.Length && n < 33; n++) { names.Add(Text.Bound(words[n], 255)); }
				Dictionary<string, object> entry = new Dictionary<string, object>();
				entry["address"] = words[0];
				entry["names"] = names;
				entry["line"] = (long)(i + 1);
				result.Add(entry);
			}
			return result;
		}

		/// <summary>Whether an entry speaks of this name.</summary>
		public static bool Names(Dictionary<string, object> entry, string host)
		{
			foreach (object name in (List<object>)entry["names"])
			{
				if (string.Equals(((string)name).TrimEnd('.'), host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)) { return true; }
			}
			return false;
		}

		public static List<object> AddressesFor(IEnumerable<Dictionary<string, object>> entries, string host)
		{
			List<object> result = new List<object>();
			foreach (Dictionary<string, object> entry in entries)
			{
				if (result.Count < 16 && Names(entry, host) && !result.Contains(entry["address"])) { result.Add(entry["address"]); }
			}
			return result;
		}
	}
}
