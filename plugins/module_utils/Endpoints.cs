// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Background;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Dns;
using ansible_collections.edefter.ready.plugins.module_utils.DnsMessage;
using ansible_collections.edefter.ready.plugins.module_utils.Http;
using ansible_collections.edefter.ready.plugins.module_utils.ProbeContext;
using ansible_collections.edefter.ready.plugins.module_utils.Target;

// Section `endpoints`: every endpoint through DNS, TCP, TLS and HTTP, each phase with its own time and error. Twin of endpoints.py.
// Targets, resolvers, addresses, proxies and canaries run side by side: the whole takes as long as the slowest single chain of
// phases, not the sum.
namespace ansible_collections.edefter.ready.plugins.module_utils.Endpoints
{
	public static class Endpoints
	{
		private const int MaxTargets = 128;
		private const int MaxCanaries = 16;
		/// <summary>What an address of TEST-NET is given once every other probe has ended.</summary>
		private const double SilentGraceMs = 500.0;

		/// <summary>What would end up in a request line is asked for here once more, whoever checked it before.</summary>
		private static void Check(string option, string id, string host, string path)
		{
			if (host.Length == 0 || !HttpProbe.Safe(host)) { throw new ArgumentException(option + " " + id + ": not a host name or address"); }
			if (!HttpProbe.Safe(path) || path[0] != '/') { throw new ArgumentException(option + " " + id + ": not a path"); }
		}

		private static TargetProbe Canary(Context context, IDictionary spec)
		{
			string kind = Opt.Str(spec, "kind", "");
			string host = Opt.Str(spec, "host", "");
			string id = Opt.Str(spec, "id", "");
			string path = Opt.Str(spec, "path", "/");
			if (host.Length == 0) { return null; }
			Check("canaries", id, host, path);
			if (kind == "random_name")
			{
				Dice dice = context.Dice("canary/" + id);
				StringBuilder label = new StringBuilder();
				for (int i = 0; i < 14; i++) { label.Append((char)('a' + dice.Next(26))); }
				return new TargetProbe(context, id, label + "." + host.TrimEnd('.'), Opt.Int(spec, "port", 443), "https", path, "dns");
			}
			if (kind == "test_net") { return new TargetProbe(context, id, host, Opt.Int(spec, "port", 443), "https", path, "tcp"); }
			bool plain = kind == "http_text";
			return new TargetProbe(context, id, host, Opt.Int(spec, "port", plain ? 80 : 443), plain ? "http" : "https", path, "full");
		}

		/// <summary>ok of CANARY, from what was seen.</summary>
		private static object CanaryOk(string kind, Dictionary<string, object> target, string expect)
		{
			List<object> tried = (List<object>)target["attempts"];
			if (kind == "random_name")
			{
				Dictionary<string, object> dns = target["dns"] as Dictionary<string, object>;
				if (dns == null) { return null; }
				object verdict = null;
				foreach (object item in (List<object>)dns["queries"])
				{
					Dictionary<string, object> query = (Dictionary<string, object>)item;
					if (DnsClient.Addresses((List<object>)query["answers"]).Count > 0) { return false; }
					object rcode = query["rcode"];
					if (rcode != null && ((long)rcode == 0 || (long)rcode == 3)) { verdict = true; }
				}
				return ((List<object>)((Dictionary<string, object>)dns["system"])["addresses"]).Count > 0 ? false : verdict;
			}
			if (kind == "test_net" && tried.Count == 0) { return null; }
			foreach (object item in tried)
			{
				Dictionary<string, object> attempt = (Dictionary<string, object>)item;
				if (kind == "test_net")
				{
					if (((Dictionary<string, object>)attempt["tcp"])["error"] == null) { return false; }
					continue;
				}
				Dictionary<string, object> http = attempt["http"] as Dictionary<string, object>;
				if (http == null || http["status"] == null) { continue; }
				if (kind == "https")
				{
					Dictionary<string, object> tls = (Dictionary<string, object>)attempt["tls"];
					if (true.Equals(tls["trusted"]) && true.Equals(tls["name_match"])) { return true; }
					continue;
				}
				Dictionary<string, object> body = http["body"] as Dictionary<string, object>;
				string snippet = body == null ? null : body["snippet"] as string;
				if ((long)http["status"] == 200 && snippet != null && snippet.StartsWith(expect, StringComparison.Ordinal)) { return true; }
			}
			return kind == "test_net";
		}

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			Context context = new Context(options, deadline);
			List<TargetProbe> targets = new List<TargetProbe>();
			foreach (IDictionary spec in Opt.Dicts(options, "endpoints"))
			{
				string host = Opt.Str(spec, "host", "");
				string path = Opt.Str(spec, "path", "/");
				string scheme = Opt.Str(spec, "scheme", "https");
				if (targets.Count >= MaxTargets) { throw new ArgumentException("endpoints: more than " + MaxTargets); }
				Check("endpoints", Opt.Str(spec, "id", ""), host, path);
				targets.Add(new TargetProbe(context, Opt.Str(spec, "id", ""), host, Opt.Int(spec, "port", scheme == "http" ? 80 : 443), scheme, path, "full"));
			}
			int probed = targets.Count;
			List<IDictionary> canaries = new List<IDictionary>();
			foreach (IDictionary spec in Opt.Dicts(options, "canaries"))
			{
				TargetProbe target = canaries.Count < MaxCanaries ? Canary(context, spec) : null;
				if (target == null) { continue; }
				canaries.Add(spec);
				targets.Add(target);
			}
			Room(targets.Count);
			Dictionary<string, object>[] done = new Dictionary<string, object>[targets.Count];
			List<Thread> threads = new List<Thread>();
			for (int i = 0; i < targets.Count; i++)
			{
				int index = i;
				threads.Add(Worker.Start(delegate() { done[index] = targets[index].Run(); }, null));
			}
			for (int i = 0; i < threads.Count; i++)
			{
				if (!targets[i].ExpectsSilence) { threads[i].Join((int)(deadline.RemainingMs + 1000.0)); }
			}
			// Where nothing lives nothing answers: on a healthy line that would be the one thing everybody waits for.
			double graceEnds = deadline.ElapsedMs + SilentGraceMs;
			for (int i = 0; i < threads.Count; i++)
			{
				if (!targets[i].ExpectsSilence) { continue; }
				threads[i].Join((int)Math.Max(0.0, graceEnds - deadline.ElapsedMs));
				targets[i].StopWaiting();
				threads[i].Join(1000);
			}
			List<object> results = new List<object>();
			List<object> canaryResults = new List<object>();
			for (int i = 0; i < targets.Count; i++)
			{
				// Left behind, or broken in a way that nobody foresaw: it is judged as not probed.
				if (done[i] == null) { continue; }
				if (i < probed) { results.Add(done[i]); continue; }
				IDictionary spec = canaries[i - probed];
				string kind = Opt.Str(spec, "kind", "");
				Dictionary<string, object> canary = new Dictionary<string, object>();
				canary["id"] = Opt.Str(spec, "id", "");
				canary["kind"] = kind;
				canary["host"] = Opt.Str(spec, "host", "");
				canary["ok"] = CanaryOk(kind, done[i], Opt.Str(spec, "expect", ""));
				canary["target"] = done[i];
				canaryResults.Add(canary);
			}
			List<object> resolvers = new List<object>();
			foreach (string address in context.Resolvers)
			{
				Dictionary<string, object> resolver = new Dictionary<string, object>();
				resolver["address"] = address;
				resolvers.Add(resolver);
			}
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["resolvers"] = resolvers;
			result["neutral_sni"] = context.NeutralSni;
			result["targets"] = results;
			result["canaries"] = canaryResults;
			return result;
		}

		/// <summary>Name look-ups, connects and (under Mono) TLS use the pool, which else grows by two threads a second.</summary>
		private static void Room(int targets)
		{
			int workers;
			int ports;
			ThreadPool.GetMinThreads(out workers, out ports);
			int wanted = 16 + 8 * targets;
			if (workers < wanted) { ThreadPool.SetMinThreads(wanted, Math.Max(ports, wanted)); }
		}
	}
}
