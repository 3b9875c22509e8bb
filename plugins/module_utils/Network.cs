// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Win32;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Resolving;

namespace ansible_collections.edefter.ready.plugins.module_utils.Network
{
	/// <summary>Section `network`: interfaces, resolvers, default route, hosts file, name policy, TLS switches. Twin of network.py.</summary>
	public static class Network
	{
		private const int MaxInterfaces = 32;

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			List<object> interfaces = new List<object>();
			List<object> gateways = new List<object>();
			List<object> suffixes = new List<object>();
			bool four = false;
			bool six = false;
			foreach (NetworkInterface item in NetworkInterface.GetAllNetworkInterfaces())
			{
				if (interfaces.Count >= MaxInterfaces) { break; }
				Dictionary<string, object> entry = Interface(item);
				interfaces.Add(entry);
				if (!true.Equals(entry["up"])) { continue; }
				foreach (object gateway in (List<object>)entry["gateways"])
				{
					if (((string)gateway).IndexOf(':') >= 0) { six = true; } else { four = true; }
					if (!gateways.Contains(gateway) && gateways.Count < 16) { gateways.Add(gateway); }
				}
				if (entry["suffix"] != null && !suffixes.Contains(entry["suffix"])) { suffixes.Add(entry["suffix"]); }
			}
			List<object> resolvers = new List<object>();
			foreach (string address in SystemNames.Resolvers()) { resolvers.Add(address); }
			Dictionary<string, object> routes = new Dictionary<string, object>();
			routes["4"] = four;
			routes["6"] = six;
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["interfaces"] = interfaces;
			result["resolvers"] = resolvers;
			result["gateways"] = gateways;
			result["default_route"] = routes;
			result["suffixes"] = suffixes;
			result["hosts_file"] = Hosts(options);
			result["name_policy"] = NamePolicy();
			result["tls_client"] = TlsClient();
			return result;
		}

		private static Dictionary<string, object> Interface(NetworkInterface item)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			List<object> addresses = new List<object>();
			List<object> gateways = new List<object>();
			List<object> resolvers = new List<object>();
			result["name"] = Text.Bound(item.Name, 120);
			result["description"] = Text.Bound(item.Description, 200);
			result["type"] = Kind(item.NetworkInterfaceType);
			// A tunnel or a virtual adapter often says "unknown"; Windows says up or down.
			result["up"] = item.OperationalStatus == OperationalStatus.Up || item.OperationalStatus == OperationalStatus.Unknown;
			result["addresses"] = addresses;
			result["gateways"] = gateways;
			result["resolvers"] = resolvers;
			result["suffix"] = null;
			result["dhcp"] = null;
			result["mtu"] = null;
			IPInterfaceProperties properties;
			try { properties = item.GetIPProperties(); }
			catch (NetworkInformationException) { return result; }
			foreach (UnicastIPAddressInformation address in properties.UnicastAddresses)
			{
				if (addresses.Count >= 32) { break; }
				Dictionary<string, object> one = new Dictionary<string, object>();
				one["address"] = address.Address.ToString();
				one["prefix"] = Prefix(address);
				addresses.Add(one);
			}
			foreach (GatewayIPAddressInformation gateway in properties.GatewayAddresses)
			{
				if (gateways.Count < 8 && !IPAddress.Any.Equals(gateway.Address) && !IPAddress.IPv6Any.Equals(gateway.Address)) { gateways.Add(gateway.Address.ToString()); }
			}
			foreach (string address in SystemNames.ResolversOf(item)) { if (resolvers.Count < 8) { resolvers.Add(address); } }
			try
			{
				if (!string.IsNullOrEmpty(properties.DnsSuffix)) { result["suffix"] = Text.Bound(properties.DnsSuffix, 255); }
				IPv4InterfaceProperties four = properties.GetIPv4Properties();
				if (four != null)
				{
					result["dhcp"] = four.IsDhcpEnabled;
					result["mtu"] = (long)four.Mtu;
				}
			}
			// An interface without IPv4, or a platform without the property: what is known stays.
			catch (NetworkInformationException) { return result; }
			catch (NotImplementedException) { return result; }
			catch (PlatformNotSupportedException) { return result; }
			return result;
		}

		private static object Prefix(UnicastIPAddressInformation address)
		{
			try
			{
				// Only from .NET Framework 4.5 on; Mono lacks it for IPv6.
				return (long)address.PrefixLength;
			}
			catch (NotImplementedException) { return null; }
			catch (PlatformNotSupportedException) { return null; }
		}

		private static string Kind(NetworkInterfaceType type)
		{
			switch (type)
			{
				case NetworkInterfaceType.Ethernet:
				case NetworkInterfaceType.GigabitEthernet:
				case NetworkInterfaceType.FastEthernetT:
				case NetworkInterfaceType.FastEthernetFx:
				case NetworkInterfaceType.Ethernet3Megabit: return "ethernet";
				case NetworkInterfaceType.Wireless80211: return "wireless";
				case NetworkInterfaceType.Tunnel: return "tunnel";
				case NetworkInterfaceType.Ppp: return "ppp";
				case NetworkInterfaceType.Loopback: return "loopback";
				default: return "other";
			}
		}

		private static Dictionary<string, object> Hosts(IDictionary options)
		{
			List<string> wanted = new List<string>();
			foreach (string key in new string[] { "endpoints", "time_sources", "canaries" })
			{
				foreach (IDictionary entry in Opt.Dicts(options, key))
				{
					string host = Opt.Str(entry, "host", null);
					if (!string.IsNullOrEmpty(host)) { wanted.Add(host); }
				}
			}
			long lines;
			Dictionary<string, object> error;
			List<object> ours = new List<object>();
			foreach (Dictionary<string, object> entry in HostsFile.Read(out lines, out error))
			{
				if (ours.Count < 64 && wanted.Exists(delegate(string host) { return HostsFile.Names(entry, host); })) { ours.Add(entry); }
			}
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["path"] = HostsFile.FilePath();
			result["error"] = error;
			result["lines"] = lines;
			result["entries"] = ours;
			return result;
		}

		/// <summary>NRPT rules, of the policy and of the machine: names that other servers are asked for.</summary>
		private static List<object> NamePolicy()
		{
			List<object> result = new List<object>();
			foreach (string path in new string[] {
				@"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient\DnsPolicyConfig",
				@"SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig" })
			{
				foreach (string rule in Reg.SubKeys(RegistryHive.LocalMachine, path))
				{
					Dictionary<string, object> values = Reg.Values(path + "\\" + rule);
					if (values == null || result.Count >= 32) { continue; }
					Dictionary<string, object> entry = new Dictionary<string, object>();
					entry["names"] = values.ContainsKey("Name") ? Texts(values["Name"]) : new List<object>();
					entry["servers"] = values.ContainsKey("GenericDNSServers") ? Texts(values["GenericDNSServers"]) : new List<object>();
					result.Add(entry);
				}
			}
			return result;
		}

		private static List<object> Texts(object value)
		{
			List<object> result = new List<object>();
			List<object> many = value as List<object>;
			if (many != null) { foreach (object item in many) { if (item is string && result.Count < 32) { result.Add(Text.Bound((string)item, 255)); } } }
			string text = value as string;
			if (text != null) { foreach (string item in text.Split(new char[] { ';', ' ' }, StringSplitOptions.RemoveEmptyEntries)) { if (result.Count < 32) { result.Add(Text.Bound(item, 255)); } } }
			return result;
		}

		/// <summary>What the registry says about this machine's TLS as a client; null: nothing, so the system's default counts.</summary>
		private static Dictionary<string, object> TlsClient()
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["tls12"] = Protocol("TLS 1.2");
			result["tls13"] = Protocol("TLS 1.3");
			result["strong_crypto"] = Both("SchUseStrongCrypto");
			result["system_default"] = Both("SystemDefaultTlsVersions");
			return result;
		}

		private static object Protocol(string name)
		{
			string path = @"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\" + name + @"\Client";
			long? enabled = Reg.Num(path, "Enabled");
			long? off = Reg.Num(path, "DisabledByDefault");
			if (!enabled.HasValue && !off.HasValue) { return null; }
			return (!enabled.HasValue || enabled.Value != 0) && (!off.HasValue || off.Value == 0);
		}

		/// <summary>Both the 64-bit and the 32-bit .NET must have it: accounting programs are often 32-bit.</summary>
		private static object Both(string name)
		{
			long? wide = Reg.Num(@"SOFTWARE\Microsoft\.NETFramework\v4.0.30319", name);
			long? narrow = Reg.Num(@"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319", name);
			if (!wide.HasValue && !narrow.HasValue) { return null; }
			return wide.HasValue && wide.Value == 1 && narrow.HasValue && narrow.Value == 1;
		}
	}
}
