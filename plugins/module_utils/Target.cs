// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Dns;
using ansible_collections.edefter.ready.plugins.module_utils.DnsMessage;
using ansible_collections.edefter.ready.plugins.module_utils.Http;
using ansible_collections.edefter.ready.plugins.module_utils.ProbeContext;
using ansible_collections.edefter.ready.plugins.module_utils.Proxy;
using ansible_collections.edefter.ready.plugins.module_utils.Resolving;
using ansible_collections.edefter.ready.plugins.module_utils.Tcp;
using ansible_collections.edefter.ready.plugins.module_utils.Tls;

// One endpoint through DNS, TCP, TLS and HTTP. Addresses are tried as soon as anybody names them, all at once. Twin of target.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Target
{
	/// <summary>One endpoint (or canary) and everything that is found out about it.</summary>
	public sealed class TargetProbe
	{
		private const int MaxAddresses = 16;
		private const int StackBytes = 512 * 1024;
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

		public static Thread Start(ThreadStart work)
		{
			Thread thread = new Thread(work, StackBytes);
			thread.IsBackground = true;
			thread.CurrentCulture = CultureInfo.InvariantCulture;
			thread.CurrentUICulture = CultureInfo.InvariantCulture;
			thread.Start();
			return thread;
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
			Start(delegate()
			{
				try { work(); }
				catch (Exception error)
				{
					Broke(data, error);
				}
				lock (changed)
				{
					running--;
					Monitor.PulseAll(changed);
				}
			});
		}

		/// <summary>Puts an error that nobody foresaw into the phase that had begun. A bug of ours must not read like a fault of the network.</summary>
		private void Broke(Dictionary<string, object> data, Exception error)
		{
			lock (changed)
			{
				Dictionary<string, object> tcp = (Dictionary<string, object>)data["tcp"];
				if (tcp["error"] != null)
				{
					Dictionary<string, object> outcome = TcpProbe.Outcome(Fault.Make("tcp", "error", null, error.ToString()), null);
					if (data.ContainsKey("proxy")) { outcome["address"] = null; }
					data["tcp"] = outcome;
				}
				else if (scheme == "https" && data["tls"] == null)
				{
					Dictionary<string, object> outcome = TlsProbe.Empty(host);
					outcome["error"] = Fault.Make("tls", "error", null, error.ToString());
					data["tls"] = outcome;
				}
				else if (data["http"] == null) { data["http"] = HttpProbe.Failed(Fault.Make("http", "error", null, error.ToString())); }
			}
		}

		private void Set(Dictionary<string, object> data, string key, object value)
		{
			lock (changed) { data[key] = value; }
		}

		private void LookUp()
		{
			Dictionary<string, object> result = SystemNames.SystemLookup(host, context.Deadline);
			lock (changed)
			{
				if (system == null)
				{
					system = result;
					Found("system", Strings(result["addresses"]));
				}
				Monitor.PulseAll(changed);
			}
		}

		private void Ask()
		{
			List<object> result;
			try
			{
				result = DnsClient.Ask(context.Resolvers, host, context.TimeoutMs, context.Deadline, context.Dice(id),
					delegate(List<string> addresses) { Found("query", addresses); },
					delegate() { lock (changed) { return running == 0 && system != null; } });
			}
			catch (SocketException) { result = new List<object>(); }
			lock (changed)
			{
				queries = result;
				Monitor.PulseAll(changed);
			}
		}

		private static List<string> Strings(object list)
		{
			List<string> result = new List<string>();
			foreach (object item in (List<object>)list) { result.Add((string)item); }
			return result;
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
				Close(stream);
			}
		}

		private static void Close(Stream stream)
		{
			try { stream.Dispose(); }
			catch (IOException) { return; }
			catch (InvalidOperationException) { return; }
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
					if (other.Stream != null) { Close(other.Stream); }
				}
			};
			TlsProbe probe = TlsProbe.Run(socket, host, context.TimeoutMs, context.Deadline, delegate() { return ConnectAgain(address); },
				delegate() { second[0] = Start(ask); }, true);
			Set(data, "tls", probe.Data);
			Dictionary<string, object> error = probe.Data["error"] as Dictionary<string, object>;
			string code = error == null ? "" : (string)error["code"];
			if ((code == "reset" || code == "eof" || code == "timeout") && (long)probe.Data["bytes_received"] == 0)
			{
				if (second[0] == null) { second[0] = Start(ask); }
				if (second[0].Join(context.Deadline.ClampMs(60000.0))) { Set(data, "neutral_sni", neutral[0]); }
			}
			return probe;
		}

		// -- one proxy --

		private void Through(Dictionary<string, object> data)
		{
			string proxy = (string)data["proxy"];
			int colon = proxy.LastIndexOf(':');
			string name = proxy.Substring(0, colon).Trim('[', ']');
			int proxyPort = int.Parse(proxy.Substring(colon + 1), CultureInfo.InvariantCulture);
			List<string> addresses = new List<string> { name };
			Dictionary<string, object> outcome = null;
			if (!SystemNames.IsAddress(name))
			{
				Dictionary<string, object> looked = null;
				Thread thread = Start(delegate() { looked = SystemNames.SystemLookup(name, context.Deadline); });
				bool ended = thread.Join(context.Deadline.ClampMs(context.TimeoutMs));
				if (!ended || looked == null || looked["error"] != null)
				{
					Dictionary<string, object> fault = ended && looked != null ? (Dictionary<string, object>)looked["error"] : Fault.Make("dns", "timeout", null, "the name of the proxy");
					outcome = TcpProbe.Outcome(fault, ended && looked != null ? looked["elapsed_ms"] : null);
					outcome["address"] = null;
					Set(data, "tcp", outcome);
					return;
				}
				addresses = Strings(looked["addresses"]);
			}
			if (addresses.Count > 4) { addresses.RemoveRange(4, addresses.Count - 4); }
			Socket socket = FirstToConnect(addresses, proxyPort, out outcome);
			Set(data, "tcp", outcome);
			if (socket == null) { return; }
			string used = (string)outcome["address"];
			using (socket)
			{
				string place = host.IndexOf(':') >= 0 ? "[" + host + "]" : host;
				if (scheme == "http")
				{
					string where = port == 80 ? place : place + ":" + port.ToString(CultureInfo.InvariantCulture);
					TeeStream plain = new TeeStream(socket, context.Deadline);
					byte[] request = HttpProbe.Request("GET", "http://" + where + path, host, port, 80);
					Set(data, "http", HttpProbe.Exchange(plain, plain, request, context.TimeoutMs, context.Deadline, false));
					return;
				}
				Dictionary<string, object> connect = Tunnel(socket, place);
				Set(data, "connect", connect);
				if (!Opened(connect)) { return; }
				Func<Socket> again = delegate()
				{
					Dictionary<string, object> ignored;
					Socket other = TcpProbe.Connect(used, proxyPort, context.TimeoutMs, context.Deadline, out ignored);
					if (other == null || Opened(Tunnel(other, place))) { return other; }
					other.Close();
					return null;
				};
				TlsProbe probe = TlsProbe.Run(socket, host, context.TimeoutMs, context.Deadline, again, null, true);
				Set(data, "tls", probe.Data);
				if (probe.Stream == null) { return; }
				byte[] message = HttpProbe.Request("GET", path, host, port, 443);
				Set(data, "http", HttpProbe.Exchange(probe.Stream, probe.Tee, message, context.TimeoutMs, context.Deadline, false));
				Close(probe.Stream);
			}
		}

		/// <summary>All addresses of a proxy at once: a dead one must not cost a timeout of its own. null when none connects.</summary>
		private Socket FirstToConnect(List<string> addresses, int proxyPort, out Dictionary<string, object> outcome)
		{
			object gate = new object();
			int open = addresses.Count;
			Socket winner = null;
			Dictionary<string, object>[] outcomes = new Dictionary<string, object>[addresses.Count];
			int won = -1;
			for (int i = 0; i < addresses.Count; i++)
			{
				int index = i;
				Start(delegate()
				{
					Dictionary<string, object> found;
					Socket socket = TcpProbe.Connect(addresses[index], proxyPort, context.TimeoutMs, context.Deadline, out found);
					found["address"] = addresses[index];
					lock (gate)
					{
						outcomes[index] = found;
						open--;
						if (socket != null && winner == null) { winner = socket; won = index; }
						else if (socket != null) { socket.Close(); }
						Monitor.PulseAll(gate);
					}
				});
			}
			lock (gate)
			{
				while (winner == null && open > 0) { Monitor.Wait(gate); }
				outcome = outcomes[won < 0 ? 0 : won];
				return winner;
			}
		}

		private Dictionary<string, object> Tunnel(Socket socket, string place)
		{
			// Reads exactly the head of a 2xx answer: what follows it belongs to TLS.
			TeeStream tee = new TeeStream(socket, context.Deadline);
			byte[] message = HttpProbe.Request("CONNECT", place + ":" + port.ToString(CultureInfo.InvariantCulture), host, port, 0);
			return HttpProbe.Exchange(tee, tee, message, context.TimeoutMs, context.Deadline, true);
		}

		private static bool Opened(Dictionary<string, object> connect)
		{
			object status = connect["status"];
			return status != null && (long)status >= 200 && (long)status < 300;
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
					Start(LookUp);
					Start(Ask);
				}
				Found("vantage", context.Extra(host));
				if (phases == "full")
				{
					foreach (Dictionary<string, object> entry in Proxy.Proxy.ForTarget(context.Proxies, scheme, host))
					{
						Dictionary<string, object> data = new Dictionary<string, object>();
						Dictionary<string, object> outcome = TcpProbe.Outcome(Fault.Make("tcp", "deadline", null, "not finished"), null);
						outcome["address"] = null;
						data["proxy"] = entry["proxy"];
						data["sources"] = entry["sources"];
						data["users"] = entry["users"];
						data["tcp"] = outcome;
						data["connect"] = null;
						data["tls"] = null;
						data["http"] = null;
						proxied.Add(data);
						Spawn(data, delegate() { Through(data); });
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
					system = new Dictionary<string, object>();
					system["addresses"] = new List<object>();
					system["error"] = Fault.Make("dns", "timeout", null, "no answer of the system in time");
					system["elapsed_ms"] = Text.Ms(context.Deadline.ElapsedMs - startedMs);
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
				Dictionary<string, object> late = new Dictionary<string, object>();
				late["addresses"] = new List<object>();
				late["error"] = Fault.Make("dns", "deadline", null, "not finished");
				late["elapsed_ms"] = null;
				lookup = new Dictionary<string, object>();
				lookup["system"] = system ?? late;
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
			List<string> raced = literal ? new List<string> { host } : system == null ? new List<string>() : Strings(system["addresses"]);
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
