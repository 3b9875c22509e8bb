// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.DomainSource;
using ansible_collections.edefter.ready.plugins.module_utils.HttpDate;
using ansible_collections.edefter.ready.plugins.module_utils.Sntp;
using ansible_collections.edefter.ready.plugins.module_utils.Timebase;

// Section `clock`: this host's clock against several sources, all asked side by side. Raw facts; the control node judges.
namespace ansible_collections.edefter.ready.plugins.module_utils.Clock
{
	/// <summary>Lets the site's own time server go first: when it answers, the public ones are asked once instead of several times.</summary>
	public sealed class LanFirst
	{
		private int unresolved;
		private int pending;
		private bool good;

		public LanFirst(int sources)
		{
			unresolved = sources;
		}

		public void Resolved(bool lan)
		{
			lock (this) { unresolved--; if (lan) { pending++; } Monitor.PulseAll(this); }
		}

		public void Answered()
		{
			lock (this) { good = true; Monitor.PulseAll(this); }
		}

		public void Done()
		{
			lock (this) { pending--; Monitor.PulseAll(this); }
		}

		/// <summary>For a public source: waits shortly for the LAN sources; true when one of them has answered.</summary>
		public bool Wait(Timeline timeline, int ms)
		{
			long end = timeline.Mono + ms * Timeline.TicksPerMs;
			lock (this)
			{
				while (!good && (unresolved > 0 || pending > 0))
				{
					long left = (end - timeline.Mono) / Timeline.TicksPerMs;
					if (left <= 0) { break; }
					Monitor.Wait(this, (int)left);
				}
				return good;
			}
		}
	}

	public static class Clock
	{
		public const int MaxSources = 32;
		/// <summary>What one server grants one address at once: chrony's default rate limit is a burst of 8; one is left for others.</summary>
		public const int Burst = 7;
		/// <summary>An answer that takes longer bounds the offset too loosely to be of use.</summary>
		private const double LongestWaitMs = 1000.0;
		private const int LanWaitMs = 250;

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			Timeline timeline = new Timeline();
			List<IDictionary> sources = Opt.Dicts(options, "time_sources");
			if (sources.Count > MaxSources) { throw new ArgumentException("more than 32 time sources"); }
			DomainSource.DomainSource.AddTo(sources, MaxSources);
			object seed = Opt.Get(options, "seed");
			Random random = seed == null ? new Random() : new Random(Opt.Int(options, "seed", 0));
			// The first call of anything costs its compilation; that must not land in the first sample's delay.
			byte[] rehearsal = Packet.Request(new byte[8]);
			Packet.Answers(rehearsal, rehearsal.Length, new byte[8]);
			Packet.Fields(rehearsal);
			timeline.After();
			Instant start = timeline.Before();

			Dictionary<string, object>[] results = new Dictionary<string, object>[sources.Count];
			List<Thread> threads = new List<Thread>();
			LanFirst gate = new LanFirst(sources.Count);
			List<int> order = new List<int>();
			for (int i = 0; i < sources.Count; i++) { order.Add(i); }
			Shuffle.InPlace(order, random);
			int ntp = 0;
			int[] places = new int[sources.Count];
			for (int i = 0; i < sources.Count; i++) { places[i] = IsNtp(sources[i]) ? ntp++ : -1; }
			foreach (int index in order)
			{
				int at = index;
				Random own = new Random(random.Next());
				Thread thread = new Thread(delegate()
				{
					Dictionary<string, object> result = Begin(sources[at]);
					// Seen from now on, so that what was gathered is there even when the deadline comes first.
					lock (results) { results[at] = result; }
					bool resolved = false;
					try { One(sources[at], places[at], result, options, timeline, deadline, own, gate, ref resolved); }
					catch (Exception error) { lock (result) { result["error"] = Fault.From("clock", error); } }
					finally { if (!resolved) { gate.Resolved(false); } }
				});
				thread.IsBackground = true;
				thread.CurrentCulture = CultureInfo.InvariantCulture;
				thread.Start();
				threads.Add(thread);
			}
			// One end for all: what is stuck is left behind, and what the others found is handed over in time.
			long last = timeline.Mono + (long)((deadline.RemainingMs + 500.0) * Timeline.TicksPerMs);
			foreach (Thread thread in threads)
			{
				if (!thread.Join((int)(Math.Max(0L, last - timeline.Mono) / Timeline.TicksPerMs))) { deadline.Cut(); }
			}
			Instant end = timeline.After();

			List<object> list = new List<object>();
			lock (results)
			{
				for (int i = 0; i < results.Length; i++)
				{
					Dictionary<string, object> copy;
					if (results[i] == null) { copy = Begin(sources[i]); copy["error"] = Fault.Make("clock", "deadline", null, "not begun"); }
					else { lock (results[i]) { copy = new Dictionary<string, object>(results[i]); } }
					list.Add(copy);
				}
			}
			Dictionary<string, object> data = new Dictionary<string, object>();
			data["wall_start"] = Timeline.Text(start.Wall);
			data["mono_start"] = start.Mono;
			data["wall_end"] = Timeline.Text(end.Wall);
			data["mono_end"] = end.Mono;
			data["kernel"] = null;
			data["sources"] = list;
			return data;
		}

		private static bool IsNtp(IDictionary source)
		{
			return Opt.Str(source, "kind", "ntp") != "https";
		}

		private static Dictionary<string, object> Begin(IDictionary source)
		{
			bool ntp = IsNtp(source);
			string host = Opt.Str(source, "host", "");
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["id"] = Opt.Str(source, "id", host);
			result["host"] = host;
			result["port"] = (long)Opt.Int(source, "port", ntp ? 123 : 443);
			result["kind"] = ntp ? "ntp" : "https";
			result["operator"] = Opt.Str(source, "operator", host);
			result["addresses"] = new List<object>();
			result["address"] = null;
			result["lan"] = false;
			result["error"] = null;
			result["skipped"] = null;
			if (ntp)
			{
				result["sent"] = 0L;
				result["stray"] = 0L;
				result["kiss"] = null;
				result["samples"] = new List<object>();
			}
			else
			{
				result["certificate"] = null;
				result["requests"] = new List<object>();
			}
			return result;
		}

		/// <summary>How many requests this host may send a public source when `neighbours` hosts share its address and `place` is its number.</summary>
		public static int Share(int source, int samples, int neighbours, int place)
		{
			if (neighbours <= 1) { return Math.Min(samples, Burst); }
			int result = 0;
			for (int k = 0; k < Burst; k++) { if (((long)source * Burst + k) % neighbours == place % neighbours) { result++; } }
			return Math.Min(samples, result);
		}

		private static void One(IDictionary source, int place, Dictionary<string, object> result, IDictionary options, Timeline timeline, Deadline deadline, Random random, LanFirst gate, ref bool resolved)
		{
			string host = Opt.Str(source, "host", "");
			double timeoutMs = Math.Max(0.05, Opt.Dbl(options, "timeout", 5.0)) * 1000.0;
			List<IPAddress> addresses;
			try { addresses = Names.Resolve(host, deadline.ClampMs(timeoutMs)); }
			catch (Exception error)
			{
				if (deadline.Expired) { deadline.Cut(); }
				lock (result) { result["error"] = Fault.From("dns", error); }
				return;
			}
			bool lan = Names.IsLan(addresses[0]);
			lock (result)
			{
				result["addresses"] = Names.Texts(addresses);
				result["address"] = addresses[0].ToString();
				result["lan"] = lan;
			}
			if (!IsNtp(source))
			{
				resolved = true;
				gate.Resolved(false);
				HttpDateClient client = new HttpDateClient(timeline, deadline, host, Opt.Int(source, "port", 443), Opt.Str(source, "path", "/"), (int)Math.Min(timeoutMs, 1e6));
				client.Measure(addresses);
				lock (result)
				{
					result["address"] = client.Address == null ? null : client.Address.ToString();
					result["requests"] = client.Answers;
					result["certificate"] = client.Certificate;
					result["error"] = client.Error;
				}
				return;
			}
			resolved = true;
			gate.Resolved(lan);
			try { Ntp(source, place, addresses, lan, result, options, timeline, deadline, random, gate, timeoutMs); }
			finally { if (lan) { gate.Done(); } }
		}

		private static void Ntp(IDictionary source, int place, List<IPAddress> addresses, bool lan, Dictionary<string, object> result, IDictionary options, Timeline timeline, Deadline deadline, Random random, LanFirst gate, double timeoutMs)
		{
			SamplingPlan plan = new SamplingPlan();
			plan.Samples = Math.Max(1, Math.Min(16, Opt.Int(options, "samples", 4)));
			plan.IntervalTicks = (long)(Math.Max(0.0, Math.Min(64.0, Opt.Dbl(options, "sample_interval", 0.4))) * 1e7);
			plan.WaitTicks = (long)(Math.Min(timeoutMs, LongestWaitMs) * Timeline.TicksPerMs);
			if (!lan)
			{
				plan.Samples = Share(place, plan.Samples, Opt.Int(options, "neighbours", 1), Math.Max(0, Opt.Int(options, "place", 0)));
				if (gate.Wait(timeline, LanWaitMs)) { plan.Samples = Math.Min(1, plan.Samples); }
				if (plan.Samples == 0) { lock (result) { result["skipped"] = "neighbours"; } return; }
				// Machines started by the same play must not all knock in the same millisecond.
				Pause.Until(timeline, timeline.Mono + (long)(random.NextDouble() * 100.0 * Timeline.TicksPerMs), deadline);
			}
			// Many machines of one branch: spread over the addresses of a pool, the resolver's preferred family first.
			List<IPAddress> tries = new List<IPAddress>();
			List<IPAddress> others = new List<IPAddress>();
			foreach (IPAddress address in addresses) { (address.AddressFamily == addresses[0].AddressFamily ? tries : others).Add(address); }
			Shuffle.InPlace(tries, random);
			tries.AddRange(others);
			int limit = plan.Samples;
			int sent = 0;
			bool answered = false;
			for (int i = 0; i < tries.Count && i < 2 && sent < limit && !answered; i++)
			{
				SntpClient client = new SntpClient(timeline, deadline, random);
				if (lan) { client.Answered = gate.Answered; }
				plan.Samples = limit - sent;
				// With an address to spare, one lost request is enough to move on.
				plan.Patience = i == 0 && tries.Count > 1 ? 1 : 2;
				answered = client.Measure(tries[i], Opt.Int(source, "port", 123), plan);
				sent += client.Sent;
				lock (result)
				{
					result["address"] = tries[i].ToString();
					result["sent"] = (long)sent;
					result["stray"] = client.Stray;
					result["kiss"] = client.Kiss;
					result["samples"] = client.Samples;
					result["error"] = client.Error;
				}
			}
		}
	}
}
