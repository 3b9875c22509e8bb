// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using Microsoft.Win32;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

namespace ansible_collections.edefter.ready.plugins.module_utils.Firewall
{
	/// <summary>
	/// Section `firewall`: what decides on outbound connections. One pass over each rule store of the registry; of the rules only those go
	/// on the wire that can decide (outbound and active) and our own. The rest is counted, so that nothing is left out silently.
	/// </summary>
	public static class Firewall
	{
		// Our rules carry this in their name and in their group (plugin_utils/wanted/firewall.py refuses other names).
		private const string Ours = "edefter";

		private const string Base = @"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy";
		private const string Gpo = @"SOFTWARE\Policies\Microsoft\WindowsFirewall";
		private const string Services = @"SYSTEM\CurrentControlSet\Services\";

		// The largest dump known holds 7,411 rules; what is beyond these bounds is said to be truncated.
		private const int MaxRead = 20000;
		private const int MaxSent = 2000;
		private const int MaxOwn = 200;
		private const int MaxLength = 16384;
		private const int MaxChars = 1000000;

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["policy_version"] = Reg.Num(Base, "PolicyVersion");
			result["active_profiles"] = ActiveProfiles();
			Dictionary<string, object> services = new Dictionary<string, object>();
			services["mpssvc"] = Service("MpsSvc");
			services["bfe"] = Service("BFE");
			result["services"] = services;

			Dictionary<string, object> profiles = new Dictionary<string, object>();
			profiles["local"] = Profiles(Base, false);
			profiles["gpo"] = Profiles(Gpo, true);
			profiles["mdm"] = Profiles(Base + @"\Mdm", false);
			result["profiles"] = profiles;

			Dictionary<string, object> stores = new Dictionary<string, object>();
			stores["local"] = Store(Base + @"\FirewallRules", false, deadline);
			stores["gpo"] = Store(Gpo + @"\FirewallRules", false, deadline);
			stores["mdm"] = Store(Base + @"\Mdm\FirewallRules", false, deadline);
			stores["appiso"] = Store(Base + @"\RestrictedServices\AppIso\FirewallRules", false, deadline);
			stores["static"] = Store(Base + @"\RestrictedServices\Static\System", true, deadline);
			stores["configurable"] = Store(Base + @"\RestrictedServices\Configurable\System", true, deadline);
			result["stores"] = stores;
			return result;
		}

		private static Dictionary<string, object> ActiveProfiles()
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["bits"] = null;
			result["error"] = null;
			try { result["bits"] = HostApi.HostApi.FirewallProfiles(); }
			catch (Exception error) { result["error"] = Fault.From("api", error); }
			return result;
		}

		private static Dictionary<string, object> Service(string name)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["state"] = null;
			result["start"] = Reg.Num(Services + name, "Start");
			result["error"] = null;
			try
			{
				Dictionary<string, object> live = HostApi.HostApi.Service(name);
				object state;
				result["state"] = live.TryGetValue("state", out state) ? state : null;
			}
			catch (Exception error) { result["error"] = Fault.From("api", error); }
			return result;
		}

		/// <summary>
		/// The three profiles of one store; null for one that the store does not hold. In the local store the private profile is called
		/// StandardProfile; Group Policy has PrivateProfile, and StandardProfile from before Windows Vista beside it. Which of the two names
		/// MDM takes is not documented: either counts.
		/// </summary>
		private static Dictionary<string, object> Profiles(string path, bool policy)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["domain"] = Profile(path + @"\DomainProfile");
			Dictionary<string, object> own = policy ? null : Profile(path + @"\StandardProfile");
			result["private"] = own ?? (path == Base ? null : Profile(path + @"\PrivateProfile"));
			result["public"] = Profile(path + @"\PublicProfile");
			if (policy) { result["standard"] = Profile(path + @"\StandardProfile"); }
			return result;
		}

		private static Dictionary<string, object> Profile(string path)
		{
			lock (Reg.Gate)
			using (RegistryKey key = Reg.Open(path))
			{
				if (key == null) { return null; }
				Dictionary<string, object> result = new Dictionary<string, object>();
				foreach (string name in new string[] { "EnableFirewall", "DefaultOutboundAction", "DefaultInboundAction", "AllowLocalPolicyMerge", "DoNotAllowExceptions" })
				{
					Number(key, name, result, name);
				}
				string interfaces = key.GetValue("DisabledInterfaces", null) as string;
				if (!string.IsNullOrEmpty(interfaces)) { result["DisabledInterfaces"] = Text.Bound(interfaces, 1024); }
				using (RegistryKey log = key.OpenSubKey("Logging", false))
				{
					if (log != null)
					{
						Number(log, "LogDroppedPackets", result, "LogDroppedPackets");
						string file = log.GetValue("LogFilePath", null, RegistryValueOptions.DoNotExpandEnvironmentNames) as string;
						if (file != null) { result["LogFilePath"] = Text.Bound(file, 260); }
					}
				}
				return result;
			}
		}

		private static void Number(RegistryKey key, string name, Dictionary<string, object> into, string field)
		{
			object value = Reg.Plain(key.GetValue(name, null));
			if (value is long) { into[field] = value; }
			// A setting of the wrong type decides something on Windows, or nothing; which, is not known: said, never guessed.
			else if (value != null) { into[field] = -1L; }
		}

		/// <summary>One rule store. hardening: rules of services only, of which those matter that e-Defter's way to the time and to names meets.</summary>
		private static Dictionary<string, object> Store(string path, bool hardening, Deadline deadline)
		{
			long total = 0, outbound = 0, packaged = 0, services = 0, protocols = 0, malformed = 0;
			bool truncated = false;
			List<object> rules = new List<object>();
			Dictionary<string, object> result = new Dictionary<string, object>();
			lock (Reg.Gate)
			using (RegistryKey key = Reg.Open(path))
			{
				result["present"] = key != null;
				if (key == null) { return result; }
				string[] names = key.GetValueNames();
				int own = 0, chars = 0;
				List<string> renamed = new List<string>();
				foreach (string name in names)
				{
					if (total >= MaxRead || deadline.Expired)
					{
						if (deadline.Expired) { deadline.Cut(); }
						truncated = true;
						break;
					}
					string raw = key.GetValue(name, null, RegistryValueOptions.DoNotExpandEnvironmentNames) as string;
					total++;
					if (raw == null || raw.Length < 4 || (raw[0] != 'v' && raw[0] != 'V')) { malformed++; continue; }
					bool named = Has(raw, "|Name=" + Ours);
					bool mine = named || Has(raw, "|EmbedCtxt=" + Ours);
					if (!mine)
					{
						// Rules of the hardening stores have no Active: they are always in force.
						if (!Has(raw, "|Dir=Out|") || !(hardening || Has(raw, "|Active=TRUE|"))) { continue; }
						outbound++;
						// An app package never is the e-Defter program, which is a desktop program.
						if (Has(raw, "|AppPkgId=") || Has(raw, "|PFN=")) { packaged++; continue; }
						// Nor is it a service; of the services, those for time and names matter.
						if (Has(raw, "|Svc=") && !Has(raw, "|Svc=W32Time|") && !Has(raw, "|Svc=Dnscache|") && !Has(raw, "|Svc=*|")) { services++; continue; }
						if (OtherProtocol(raw)) { protocols++; continue; }
						chars += Math.Min(raw.Length, MaxLength);
						if (rules.Count - own >= MaxSent || chars > MaxChars) { truncated = true; continue; }
					}
					else
					{
						if (own >= MaxOwn) { truncated = true; continue; }
						own++;
						if (!named) { renamed.Add("|Name=" + Value(raw, "|Name=") + "|"); }
					}
					Add(rules, name, raw);
				}
				if (renamed.Count > 0) { Namesakes(key, names, renamed, rules); }
			}
			result["total"] = total;
			result["outbound"] = outbound;
			result["packaged"] = packaged;
			result["services"] = services;
			result["protocols"] = protocols;
			result["malformed"] = malformed;
			result["truncated"] = truncated;
			result["rules"] = rules;
			return result;
		}

		/// <summary>
		/// A rule of our group under a name that is not ours: the stock module finds rules by name alone, so the control node must know
		/// whether somebody else's rule has that name too.
		/// </summary>
		private static void Namesakes(RegistryKey key, string[] names, List<string> renamed, List<object> rules)
		{
			HashSet<string> sent = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
			foreach (object rule in rules) { sent.Add((string)((List<object>)rule)[0]); }
			int limit = Math.Min(names.Length, MaxRead);
			for (int i = 0; i < limit && rules.Count < MaxSent + 2 * MaxOwn; i++)
			{
				if (sent.Contains(names[i])) { continue; }
				string raw = key.GetValue(names[i], null, RegistryValueOptions.DoNotExpandEnvironmentNames) as string;
				if (raw == null) { continue; }
				foreach (string name in renamed)
				{
					if (Has(raw, name)) { Add(rules, names[i], raw); break; }
				}
			}
		}

		private static void Add(List<object> rules, string name, string raw)
		{
			List<object> pair = new List<object>();
			pair.Add(Text.Bound(name, 512));
			// A rule that is cut ends without its last bar, by which the parser sees that conditions may be missing.
			pair.Add(raw.Length <= MaxLength ? Text.Bound(raw, MaxLength) : Text.Bound(raw, MaxLength) + "\u2026");
			rules.Add(pair);
		}

		/// <summary>Ordinal on the raw string: a culture-aware comparison would, in Turkish, not find "Dir" in "DIR".</summary>
		private static bool Has(string raw, string part)
		{
			return raw.IndexOf(part, StringComparison.OrdinalIgnoreCase) >= 0;
		}

		/// <summary>True for a protocol by number that is neither TCP nor UDP: ICMP, IGMP, tunnels.</summary>
		private static bool OtherProtocol(string raw)
		{
			string value = Value(raw, "|Protocol=");
			if (value.Length == 0 || value.Length > 3) { return false; }
			foreach (char digit in value) { if (digit < '0' || digit > '9') { return false; } }
			return value != "6" && value != "17";
		}

		private static string Value(string raw, string key)
		{
			int start = raw.IndexOf(key, StringComparison.OrdinalIgnoreCase);
			if (start < 0) { return ""; }
			start += key.Length;
			int end = raw.IndexOf('|', start);
			return end < 0 ? raw.Substring(start) : raw.Substring(start, end - start);
		}
	}
}
