// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.DnsMessage;
using ansible_collections.edefter.ready.plugins.module_utils.Proxy;
using ansible_collections.edefter.ready.plugins.module_utils.Resolving;
using ansible_collections.edefter.ready.plugins.module_utils.Tcp;

// What the probes of one observation share, and what a browser would make of their results. Twin of probe_context.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.ProbeContext
{
	/// <summary>What all targets of one observation share.</summary>
	public sealed class Context
	{
		private const string DefaultNeutralSni = "www.example.com";

		public readonly Deadline Deadline;
		public readonly double TimeoutMs;
		public readonly List<string> Resolvers;
		public readonly List<Dictionary<string, object>> Hosts;
		public readonly List<Dictionary<string, object>> Proxies;
		public readonly string NeutralSni = DefaultNeutralSni;
		private readonly object seed;
		private readonly List<IDictionary> extra;

		public Context(IDictionary options, Deadline deadline)
		{
			Deadline = deadline;
			TimeoutMs = Math.Max(50.0, Opt.Dbl(options, "timeout", 5.0) * 1000.0);
			Resolvers = SystemNames.Resolvers();
			long lines;
			Dictionary<string, object> error;
			Hosts = HostsFile.Read(out lines, out error);
			Proxies = Proxy.Proxy.Configurations();
			seed = Opt.Get(options, "seed");
			extra = Opt.Dicts(options, "extra_addresses");
			foreach (IDictionary canary in Opt.Dicts(options, "canaries"))
			{
				string host = Opt.Str(canary, "host", "");
				if (Opt.Str(canary, "kind", "") == "https" && host.Length > 0 && !SystemNames.IsAddress(host)) { NeutralSni = host; }
			}
		}

		public Dice Dice(string salt)
		{
			return new Dice(seed, salt);
		}

		public List<string> Extra(string host)
		{
			List<string> result = new List<string>();
			foreach (IDictionary entry in extra)
			{
				if (!string.Equals(Opt.Str(entry, "host", "").TrimEnd('.'), host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)) { continue; }
				foreach (string address in Opt.Strings(entry, "addresses")) { if (SystemNames.IsAddress(address)) { result.Add(address); } }
			}
			return result;
		}
	}

	/// <summary>What a browser would do with the addresses.</summary>
	public static class Browser
	{
		// RFC 8305 section 8: Connection Attempt Delay.
		private const double AttemptDelayMs = 250.0;

		/// <summary>The address that a browser ends up with (RFC 8305): families take turns, the next starts after 250 ms or a failure.</summary>
		public static string Race(IList<string> order, IEnumerable<object> attempts)
		{
			Dictionary<string, Dictionary<string, object>> outcomes = new Dictionary<string, Dictionary<string, object>>();
			foreach (object item in attempts)
			{
				Dictionary<string, object> attempt = (Dictionary<string, object>)item;
				outcomes[(string)attempt["address"]] = (Dictionary<string, object>)attempt["tcp"];
			}
			List<string> same = new List<string>();
			List<string> other = new List<string>();
			foreach (string address in order)
			{
				if (!outcomes.ContainsKey(address)) { continue; }
				bool first = same.Count == 0 || TcpProbe.Family(same[0]) == TcpProbe.Family(address);
				(first ? same : other).Add(address);
			}
			List<string> queue = new List<string>();
			for (int i = 0; i < Math.Max(same.Count, other.Count); i++)
			{
				if (i < same.Count) { queue.Add(same[i]); }
				if (i < other.Count) { queue.Add(other[i]); }
			}
			string best = null;
			double bestAt = double.MaxValue;
			double begin = 0.0;
			foreach (string address in queue)
			{
				if (bestAt <= begin) { break; }
				object took = outcomes[address]["elapsed_ms"];
				if (outcomes[address]["error"] == null && took != null)
				{
					if (begin + (double)took < bestAt) { bestAt = begin + (double)took; best = address; }
					begin += AttemptDelayMs;
				}
				else { begin += took == null ? AttemptDelayMs : Math.Min(AttemptDelayMs, (double)took); }
			}
			return best;
		}
	}
}
