// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Background;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Dns;
using ansible_collections.edefter.ready.plugins.module_utils.DnsMessage;
using ansible_collections.edefter.ready.plugins.module_utils.Http;
using ansible_collections.edefter.ready.plugins.module_utils.ProbeContext;
using ansible_collections.edefter.ready.plugins.module_utils.Proxy;
using ansible_collections.edefter.ready.plugins.module_utils.Resolving;
using ansible_collections.edefter.ready.plugins.module_utils.Tcp;
using ansible_collections.edefter.ready.plugins.module_utils.ThroughProxy;
using ansible_collections.edefter.ready.plugins.module_utils.Tls;

// One endpoint through DNS, TCP, TLS and HTTP. Addresses are tried as soon as anybody names them, all at once. Twin of target.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Target
{
	/// <summary>One endpoint (or canary) and everything that is found out about it.</summary>
	public sealed class TargetProbe
	{
		private const int MaxAddresses = 16;
		// A late system look-up may take until this long before the overall deadline.
		private const double SystemReserveMs = 2000.0;
		private static readonly string[] Sources = new string[] { "system", "query", "vantage", "literal" };

		private readonly Context context;
		private readonly string id;
		private readonly string host;
		private readonly int port;
		private readonly string scheme;
		private readonly string path;
		private readonly string phases;
		private readonly bool literal;
		private readonly object changed = new object();
		private readonly List<string> order = new List<string>();
		private readonly Dictionary<string, List<string>> known = new Dictionary<string, List<string>>();
		private readonly Dictionary<string, Dictionary<string, object>> attempts = new Dictionary<string, Dictionary<string, object>>();
		private readonly List<Dictionary<string, object>> proxied = new List<Dictionary<string, object>>();
		private Dictionary<string, object> system;
		private List<object> queries;
		private double startedMs;
		private int running;
		private bool enough;

		/// <summary>phases: full | dns | tcp.</summary>
		public TargetProbe(Context context, string id, string host, int port, string scheme, string path, string phases)
		{
			this.context = context;
			this.id = id;
			this.host = host;
			this.port = port;
			this.scheme = scheme;
			this.path = path;
			this.phases = phases;
			literal = SystemNames.IsAddress(host);
		}

		// -- addresses, from whoever names them --

		private void Found(string source, IEnumerable<string> addresses)
		{
			lock (changed)
			{
				foreach (string address in addresses)
				{
					if (known.ContainsKey(address))
					{
						if (!known[address].Contains(source)) { known[address].Add(source); }
						continue;
					}
					if (phases == "dns" || known.Count >= MaxAddresses) { continue; }
					known[address] = new List<string> { source };
					order.Add(address);
					Dictionary<string, object> data = new Dictionary<string, object>();
					data["address"] = address;
					data["family"] = TcpProbe.Family(address);
					data["source"] = source;
					data["tcp"] = TcpProbe.Outcome(Fault.Make("tcp", "deadline", null, "not finished"), null);
					data["tls"] = null;
					data["http"] = null;
					data["neutral_sni"] = null;
					attempts[address] = data;
					Spawn(data, delegate() { Attempt(data); });
				}
			}
		}

		/// <summary>With `changed` held. Whatever breaks in one attempt stays in it.</summary>
		private void Spawn(Dictionary<string, object> data, ThreadStart work)
		{
			running++;
			Worker.Start(delegate() { work(); Ended(); }, delegate(Exception error) { Broke(data, error); Ended(); });
		}

		private void Ended()
		{
			lock (changed)
			{
				running--;
				Monitor.PulseAll(changed);
			}
		}

		/// <summary>Puts an error that nobody foresaw into the phase that had begun. A bug of ours must not read like a fault of the network.</summary>
		private void Broke(Dictionary<string, object> data, Exception error)
		{
			lock (changed)
			{
				Dictionary<string, object> tcp = (Dictionary<string, object>)data["tcp"];
				if (tcp["error"] != null)
				{
					Dictionary<string, object> fault = Fault.Broke("tcp", error);
					data["tcp"] = data.ContainsKey("proxy") ? ProxyProbe.Unconnected(fault, null) : TcpProbe.Outcome(fault, null);
				}
				else if (scheme == "https" && data["tls"] == null)
				{
					Dictionary<string, object> outcome = TlsProbe.Empty(host);
					outcome["error"] = Fault.Broke("tls", error);
					data["tls"] = outcome;
				}
				else if (data["http"] == null) { data["http"] = HttpProbe.Failed(Fault.Broke("http", error)); }
			}
		}

		private void Set(Dictionary<string, object> data, string key, object value)
		{
			lock (changed) { data[key] = value; }
		}

		private void Looked(Dictionary<string, object> result)
		{
			lock (changed)
			{
				if (system == null)
				{
					system = result;
					Found("system", Opt.Strings(result, "addresses"));
				}
				Monitor.PulseAll(changed);
			}
		}

		private List<object> Ask()
		{
			return DnsClient.Ask(context.Resolvers, host, context.TimeoutMs, context.Deadline, context.Dice(id),
				delegate(List<string> addresses) { Found("query", addresses); },
				delegate() { lock (changed) { return running == 0 && system != null; } });
		}

		private void Asked(List<object> result)
		{
			lock (changed)
			{
				queries = result;
				Monitor.PulseAll(changed);
			}
		}

		// -- one address --

		private void Attempt(Dictionary<string, object> data)
		{
			string address = (string)data["address"];
			Dictionary<string, object> outcome;
			Socket socket = TcpProbe.Connect(address, port, context.TimeoutMs, context.Deadline, out outcome);
			Set(data, "tcp", outcome);
			if (socket == null) { return; }
			using (socket)
			{
				if (phases == "tcp") { return; }
				TeeStream tee;
				Stream stream;
				if (scheme == "https")
				{
					TlsProbe probe = Tls(data, socket, address);
					if (probe.Stream == null) { return; }
					tee = probe.Tee;
					stream = probe.Stream;
				}
				else
				{
					tee = new TeeStream(socket, context.Deadline);
					stream = tee;
				}
				byte[] message = HttpProbe.Request("GET", path, host, port, scheme == "https" ? 443 : 80);
				Set(data, "http", HttpProbe.Exchange(stream, tee, message, context.TimeoutMs, context.Deadline, false));
				TcpProbe.Close(stream);
			}
		}

		private Socket ConnectAgain(string address)
		{
			Dictionary<string, object> outcome;
			return TcpProbe.Connect(address, port, context.TimeoutMs, context.Deadline, out outcome);
		}

		private TlsProbe Tls(Dictionary<string, object> data, Socket socket, string address)
		{
			Thread[] second = new Thread[1];
			Dictionary<string, object>[] neutral = new Dictionary<string, object>[1];
			ThreadStart ask = delegate()
			{
				Socket again = ConnectAgain(address);
				if (again == null) { return; }
				using (again)
				{
					TlsProbe other = TlsProbe.Run(again, context.NeutralSni, context.TimeoutMs, context.Deadline, null, null, false);
					neutral[0] = other.Data;
					if (other.Stream != null) { TcpProbe.Close(other.Stream); }
				}
			};
			TlsProbe probe = TlsProbe.Run(socket, host, context.TimeoutMs, context.Deadline, delegate() { return ConnectAgain(address); },
				delegate() { second[0] = Worker.Start(ask, null); }, true);
			Set(data, "tls", probe.Data);
			Dictionary<string, object> error = probe.Data["error"] as Dictionary<string, object>;
			string code = error == null ? "" : (string)error["code"];
			if ((code == "reset" || code == "eof" || code == "timeout") && (long)probe.Data["bytes_received"] == 0)
			{
				if (second[0] == null) { second[0] = Worker.Start(ask, null); }
				if (second[0].Join(context.Deadline.ClampMs(60000.0))) { Set(data, "neutral_sni", neutral[0]); }
			}
			return probe;
		}

		/// <summary>True for an address that is not expected to answer.</summary>
		public bool ExpectsSilence { get { return phases == "tcp"; } }

		/// <summary>Ends the wait for an address that is not expected to answer: everything else has had its answer by now.</summary>
		public void StopWaiting()
		{
			lock (changed)
			{
				enough = true;
				Monitor.PulseAll(changed);
			}
		}

		// -- all together --

		/// <summary>Runs everything and gives TARGET. Ends with the deadline at the latest.</summary>
		public Dictionary<string, object> Run()
		{
			double start = context.Deadline.ElapsedMs;
			startedMs = start;
			lock (changed)
			{
				if (literal) { Found("literal", new string[] { host }); }
				else
				{
					Worker.Start(delegate() { Looked(SystemNames.SystemLookup(host, context.Deadline)); },
						delegate(Exception error) { Looked(SystemNames.Outcome(Fault.Broke("dns", error), null)); });
					// Without a socket to ask with, nothing is known of any resolver.
					Worker.Start(delegate() { Asked(Ask()); }, delegate(Exception error) { Asked(new List<object>()); });
				}
				Found("vantage", context.Extra(host));
				if (phases == "full")
				{
					foreach (Dictionary<string, object> entry in Proxy.Proxy.ForTarget(context.Proxies, scheme, host))
					{
						ProxyProbe probe = new ProxyProbe(context, entry, scheme, host, port, path, changed);
						proxied.Add(probe.Data);
						Spawn(probe.Data, probe.Run);
					}
				}
				double limit = start + context.Deadline.ClampMs(context.TimeoutMs);
				while (!Finished(limit) && !context.Deadline.Expired)
				{
					double left = context.Deadline.RemainingMs;
					if (system == null && !literal) { left = Math.Min(left, SystemLimit(limit) - context.Deadline.ElapsedMs); }
					Monitor.Wait(changed, (int)Math.Max(1.0, left));
				}
				return Result(start);
			}
		}

		/// <summary>
		/// Until when the system's look-up is waited for. A name that has addresses is late, not lost: a client repeats a lost datagram only
		/// after seconds. Nothing else waits for it, and giving up would make a fault of one lost packet.
		/// </summary>
		private double SystemLimit(double limit)
		{
			if (!Resolves()) { return limit; }
			return Math.Max(limit, context.Deadline.ElapsedMs + context.Deadline.RemainingMs - SystemReserveMs);
		}

		/// <summary>Whether any resolver gave an address when asked directly.</summary>
		private bool Resolves()
		{
			if (queries == null) { return false; }
			foreach (Dictionary<string, object> query in queries)
			{
				foreach (Dictionary<string, object> answer in (IEnumerable)query["answers"])
				{
					string type = answer["type"] as string;
					if (type == "A" || type == "AAAA") { return true; }
				}
			}
			return false;
		}

		private bool Finished(double limit)
		{
			if (enough) { return true; }
			if (!literal)
			{
				if (system == null && context.Deadline.ElapsedMs >= SystemLimit(limit))
				{
					// A look-up cannot be told to give up. It goes on in its thread and nobody waits.
					system = SystemNames.Outcome(Fault.Make("dns", "timeout", null, "no answer of the system in time"), Text.Ms(context.Deadline.ElapsedMs - startedMs));
				}
				if (system == null || queries == null) { return false; }
			}
			return running == 0;
		}

		private Dictionary<string, object> Result(double start)
		{
			bool complete = enough || (running == 0 && (literal || (system != null && queries != null)));
			if (!complete) { context.Deadline.Cut(); }
			Dictionary<string, object> lookup = null;
			if (!literal)
			{
				lookup = new Dictionary<string, object>();
				lookup["system"] = system ?? SystemNames.Outcome(Fault.Make("dns", "deadline", null, "not finished"), null);
				lookup["hosts_file"] = HostsFile.AddressesFor(context.Hosts, host);
				lookup["queries"] = queries ?? new List<object>();
			}
			List<object> tried = new List<object>();
			foreach (string address in order)
			{
				// A copy: an attempt that the deadline left behind may still write.
				Dictionary<string, object> attempt = new Dictionary<string, object>(attempts[address]);
				foreach (string source in Sources)
				{
					if (known[address].Contains(source)) { attempt["source"] = source; break; }
				}
				if (enough) { TcpProbe.Silent(attempt); }
				tried.Add(attempt);
			}
			List<object> through = new List<object>();
			foreach (Dictionary<string, object> item in proxied) { through.Add(new Dictionary<string, object>(item)); }
			List<string> raced = literal ? new List<string> { host } : system == null ? new List<string>() : Opt.Strings(system, "addresses");
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["id"] = id;
			result["host"] = host;
			result["port"] = (long)port;
			result["scheme"] = scheme;
			result["path"] = path;
			result["elapsed_ms"] = Text.Ms(context.Deadline.ElapsedMs - start);
			result["complete"] = complete;
			result["dns"] = lookup;
			result["attempts"] = tried;
			result["winner"] = Browser.Race(raced, tried);
			result["proxy_attempts"] = through;
			return result;
		}
	}
}
