// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Background;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Http;
using ansible_collections.edefter.ready.plugins.module_utils.ProbeContext;
using ansible_collections.edefter.ready.plugins.module_utils.Resolving;
using ansible_collections.edefter.ready.plugins.module_utils.Tcp;
using ansible_collections.edefter.ready.plugins.module_utils.Tls;

// One endpoint through one proxy: TCP to the proxy, CONNECT, TLS, HTTP. Twin of what target.py does through proxies.
namespace ansible_collections.edefter.ready.plugins.module_utils.ThroughProxy
{
	public sealed class ProxyProbe
	{
		private readonly Context context;
		private readonly string scheme;
		private readonly string host;
		private readonly int port;
		private readonly string path;
		private readonly object gate;

		/// <summary>PROXY ATTEMPT of docs/observation-endpoints.md. Written phase by phase, with the gate held.</summary>
		public readonly Dictionary<string, object> Data = new Dictionary<string, object>();

		/// <summary>proxy: of Proxy.ForTarget.</summary>
		public ProxyProbe(Context context, Dictionary<string, object> proxy, string scheme, string host, int port, string path, object gate)
		{
			this.context = context;
			this.scheme = scheme;
			this.host = host;
			this.port = port;
			this.path = path;
			this.gate = gate;
			Data["proxy"] = proxy["proxy"];
			Data["sources"] = proxy["sources"];
			Data["users"] = proxy["users"];
			Data["tcp"] = Unconnected(Fault.Make("tcp", "deadline", null, "not finished"), null);
			Data["connect"] = null;
			Data["tls"] = null;
			Data["http"] = null;
		}

		/// <summary>TCP of a proxy that no address is known to lead to.</summary>
		public static Dictionary<string, object> Unconnected(Dictionary<string, object> error, object elapsedMs)
		{
			Dictionary<string, object> result = TcpProbe.Outcome(error, elapsedMs);
			result["address"] = null;
			return result;
		}

		private void Set(string key, object value)
		{
			lock (gate) { Data[key] = value; }
		}

		public void Run()
		{
			string proxy = (string)Data["proxy"];
			int colon = proxy.LastIndexOf(':');
			string name = proxy.Substring(0, colon).Trim('[', ']');
			int proxyPort = int.Parse(proxy.Substring(colon + 1), CultureInfo.InvariantCulture);
			List<string> addresses = new List<string> { name };
			if (!SystemNames.IsAddress(name))
			{
				Dictionary<string, object> looked = null;
				Thread thread = Worker.Start(delegate() { looked = SystemNames.SystemLookup(name, context.Deadline); },
					delegate(Exception error) { looked = SystemNames.Outcome(Fault.Broke("dns", error), null); });
				bool ended = thread.Join(context.Deadline.ClampMs(context.TimeoutMs));
				if (!ended || looked == null || looked["error"] != null)
				{
					Dictionary<string, object> fault = ended && looked != null ? (Dictionary<string, object>)looked["error"] : Fault.Make("dns", "timeout", null, "the name of the proxy");
					Set("tcp", Unconnected(fault, ended && looked != null ? looked["elapsed_ms"] : null));
					return;
				}
				addresses = Opt.Strings(looked, "addresses");
			}
			if (addresses.Count > 4) { addresses.RemoveRange(4, addresses.Count - 4); }
			Dictionary<string, object> outcome;
			Socket socket = FirstToConnect(addresses, proxyPort, out outcome);
			Set("tcp", outcome);
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
					Set("http", HttpProbe.Exchange(plain, plain, request, context.TimeoutMs, context.Deadline, false));
					return;
				}
				Dictionary<string, object> connect = Tunnel(socket, place);
				Set("connect", connect);
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
				Set("tls", probe.Data);
				if (probe.Stream == null) { return; }
				byte[] message = HttpProbe.Request("GET", path, host, port, 443);
				Set("http", HttpProbe.Exchange(probe.Stream, probe.Tee, message, context.TimeoutMs, context.Deadline, false));
				TcpProbe.Close(probe.Stream);
			}
		}

		/// <summary>All addresses of a proxy at once: a dead one must not cost a timeout of its own. null when none connects.</summary>
		private Socket FirstToConnect(List<string> addresses, int proxyPort, out Dictionary<string, object> outcome)
		{
			object race = new object();
			int open = addresses.Count;
			Socket winner = null;
			Dictionary<string, object>[] outcomes = new Dictionary<string, object>[addresses.Count];
			int won = -1;
			for (int i = 0; i < addresses.Count; i++)
			{
				int index = i;
				Action<Dictionary<string, object>, Socket> arrived = delegate(Dictionary<string, object> found, Socket socket)
				{
					found["address"] = addresses[index];
					lock (race)
					{
						outcomes[index] = found;
						open--;
						if (socket != null && winner == null) { winner = socket; won = index; }
						else if (socket != null) { socket.Close(); }
						Monitor.PulseAll(race);
					}
				};
				Worker.Start(delegate()
				{
					Dictionary<string, object> found;
					Socket socket = TcpProbe.Connect(addresses[index], proxyPort, context.TimeoutMs, context.Deadline, out found);
					arrived(found, socket);
				}, delegate(Exception error) { arrived(TcpProbe.Outcome(Fault.Broke("tcp", error), null), null); });
			}
			lock (race)
			{
				while (winner == null && open > 0) { Monitor.Wait(race); }
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
	}
}
