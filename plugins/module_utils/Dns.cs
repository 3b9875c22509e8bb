// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Background;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.DnsMessage;

// DNS as the probes need it: raw questions to each resolver, past caches and the hosts file. Twin of dns.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Dns
{
	/// <summary>One question to one resolver, driven by DnsClient.Ask.</summary>
	internal sealed class Query
	{
		private const int MaxOthers = 3;

		public readonly string Resolver;
		public readonly string Type;
		public readonly string Name;
		public readonly List<int> Idents = new List<int>();
		public Socket Socket;
		public Reply First;
		public double FirstAt;
		public Dictionary<string, object> Error;
		public Dictionary<string, object> Bad;
		public object Elapsed;
		public bool Truncated;
		private Dictionary<int, List<Reply>> seen = new Dictionary<int, List<Reply>>();

		public Query(string resolver, string name, string type, Dice dice)
		{
			Resolver = resolver;
			Type = type;
			Name = Message.MixedCase(name.TrimEnd('.'), dice);
		}

		public void Open()
		{
			IPAddress address = IPAddress.Parse(Resolver);
			Socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
			Socket.Blocking = false;
			Socket.Connect(address, 53);
		}

		public void Send(Dice dice)
		{
			// An id of its own for each datagram: two honest answers to two datagrams (a round robin) are no injection.
			int ident = dice.Next(65536);
			while (Idents.Contains(ident)) { ident = dice.Next(65536); }
			Idents.Add(ident);
			Socket.Send(Message.Build(Name, Message.TypeNumber(Type), ident));
		}

		/// <summary>Reads one datagram; true when it is the first usable reply.</summary>
		public bool Take()
		{
			byte[] buffer = new byte[65536];
			int length = Socket.Receive(buffer);
			foreach (int ident in Idents)
			{
				Reply reply;
				try { reply = Message.Parse(buffer, length, Name, Message.TypeNumber(Type), ident); }
				catch (MalformedException error)
				{
					Bad = Fault.Make("dns", "malformed", null, error.Message);
					return false;
				}
				if (reply == null) { continue; }
				if (!seen.ContainsKey(ident)) { seen[ident] = new List<Reply>(); }
				List<Reply> known = seen[ident];
				bool fresh = known.Count <= MaxOthers;
				foreach (Reply other in known) { fresh = fresh && other.Identity() != reply.Identity(); }
				if (fresh) { known.Add(reply); }
				if (First != null) { return false; }
				First = reply;
				return true;
			}
			return false;
		}

		public void Replace(Reply reply)
		{
			seen = new Dictionary<int, List<Reply>>();
			seen[0] = new List<Reply> { reply };
			First = reply;
		}

		public void Close()
		{
			if (Socket != null) { Socket.Close(); }
			Socket = null;
		}

		public Dictionary<string, object> Result()
		{
			List<Reply> most = new List<Reply>();
			foreach (List<Reply> replies in seen.Values) { if (replies.Count > most.Count) { most = replies; } }
			Reply first = First;
			if (most.Count > 1 && first != null && !most.Contains(first)) { first = most[0]; }
			List<object> others = new List<object>();
			foreach (Reply reply in most)
			{
				if (reply == first || others.Count >= MaxOthers) { continue; }
				Dictionary<string, object> other = new Dictionary<string, object>();
				other["rcode"] = (long)reply.Rcode;
				other["answers"] = reply.Answers;
				others.Add(other);
			}
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["resolver"] = Resolver;
			result["type"] = Type;
			result["rcode"] = first == null ? null : (object)(long)first.Rcode;
			result["answers"] = first == null ? new List<object>() : first.Answers;
			result["error"] = Error ?? (first == null ? Bad : null);
			result["elapsed_ms"] = Elapsed;
			result["replies"] = (long)most.Count;
			result["others"] = others;
			result["sent"] = (long)Idents.Count;
			result["truncated"] = Truncated;
			result["case_kept"] = first == null ? null : (object)first.CaseKept;
			return result;
		}
	}

	public delegate void Found(List<string> addresses);

	public delegate bool Whether();

	public static class DnsClient
	{
		// Datagrams go out at these parts of the timeout: one lost packet must not look like a dead resolver.
		private static readonly double[] ResendAt = new double[] { 0.0, 0.2, 0.5 };
		// After the first reply the socket stays open for differing ones: at least ListenMinMs, at most ListenMaxMs, and no longer
		// than the target's other phases take, so that listening costs no time of its own.
		private const double ListenMinMs = 100.0;
		private const double ListenMaxMs = 500.0;
		private const int TickMicroseconds = 20000;

		/// <summary>
		/// Asks every resolver for A and AAAA at once, in one loop. Never raises for a fault of the network. found: told the addresses as
		/// each first reply comes; othersDone: whether the target's other phases are over, so that listening for differing replies may end.
		/// </summary>
		public static List<object> Ask(IList<string> resolvers, string name, double timeoutMs, Deadline deadline, Dice dice, Found found, Whether othersDone)
		{
			double start = deadline.ElapsedMs;
			bool cut = deadline.RemainingMs < timeoutMs;
			double limit = deadline.ClampMs(timeoutMs);
			List<Query> queries = new List<Query>();
			foreach (string resolver in resolvers)
			{
				foreach (string type in new string[] { "A", "AAAA" }) { queries.Add(new Query(resolver, name, type, dice)); }
			}
			try
			{
				foreach (Query query in queries)
				{
					Query one = query;
					if (!Guard(query, start, deadline, delegate() { one.Open(); return true; })) { query.Close(); }
				}
				bool answered = false;
				while (true)
				{
					double age = deadline.ElapsedMs - start;
					bool othersAreDone = answered && othersDone();
					foreach (Query query in queries)
					{
						if (query.Socket == null) { continue; }
						if (query.First != null)
						{
							double listened = deadline.ElapsedMs - query.FirstAt;
							if (deadline.Expired || listened >= ListenMaxMs || (listened >= ListenMinMs && othersAreDone)) { query.Close(); }
						}
						else if (age >= limit)
						{
							if (query.Bad == null)
							{
								string code = cut ? "deadline" : "timeout";
								if (cut) { deadline.Cut(); }
								query.Error = Fault.Make("dns", code, null, "no reply to " + query.Idents.Count + " datagrams");
							}
							query.Elapsed = Text.Ms(age);
							query.Close();
						}
						else if (query.Idents.Count < ResendAt.Length && age >= ResendAt[query.Idents.Count] * limit)
						{
							Query one = query;
							// An error of the answer to the last datagram (port unreachable) surfaces here as well.
							Guard(query, start, deadline, delegate() { one.Send(dice); return true; });
							if (query.Error != null) { query.Close(); }
						}
					}
					List<Socket> open = new List<Socket>();
					bool waiting = false;
					foreach (Query query in queries)
					{
						if (query.Socket == null) { continue; }
						open.Add(query.Socket);
						waiting = waiting || query.First == null;
					}
					answered = answered || !waiting;
					if (open.Count == 0) { break; }
					Socket.Select(open, null, null, TickMicroseconds);
					foreach (Query query in queries)
					{
						if (query.Socket == null || !open.Contains(query.Socket)) { continue; }
						Query one = query;
						if (!Guard(query, start, deadline, one.Take))
						{
							if (query.Error != null) { query.Close(); }
							continue;
						}
						query.FirstAt = deadline.ElapsedMs;
						query.Elapsed = Text.Ms(query.FirstAt - start);
						query.Truncated = query.First.Truncated;
						found(Addresses(query.First.Answers));
					}
				}
				AskAgain(queries, dice, start, limit, deadline, found);
			}
			finally
			{
				foreach (Query query in queries) { query.Close(); }
			}
			List<object> result = new List<object>();
			foreach (Query query in queries) { result.Add(query.Result()); }
			return result;
		}

		/// <summary>The A and AAAA data among answers.</summary>
		public static List<string> Addresses(IEnumerable<object> answers)
		{
			List<string> result = new List<string>();
			foreach (object item in answers)
			{
				Dictionary<string, object> answer = (Dictionary<string, object>)item;
				string type = (string)answer["type"];
				if (type == "A" || type == "AAAA") { result.Add((string)answer["data"]); }
			}
			return result;
		}

		/// <summary>Whole answers over TCP for those that were cut off, all at once.</summary>
		private static void AskAgain(List<Query> queries, Dice dice, double start, double limit, Deadline deadline, Found found)
		{
			double left = Math.Max(50.0, limit - (deadline.ElapsedMs - start));
			List<Thread> threads = new List<Thread>();
			foreach (Query query in queries)
			{
				if (!query.Truncated) { continue; }
				Query one = query;
				threads.Add(Worker.Start(delegate()
				{
					bool whole = Guard(one, start, deadline, delegate() { one.Replace(AskTcp(one, dice, left, deadline)); return true; });
					if (!whole) { return; }
					one.Elapsed = Text.Ms(deadline.ElapsedMs - start);
					found(Addresses(one.First.Answers));
				}, delegate(Exception error) { one.Error = Fault.Broke("dns", error); }));
			}
			foreach (Thread thread in threads) { thread.Join((int)left + 500); }
		}

		private static Reply AskTcp(Query query, Dice dice, double timeoutMs, Deadline deadline)
		{
			double end = deadline.ElapsedMs + deadline.ClampMs(timeoutMs);
			int ident = dice.Next(65536);
			int type = Message.TypeNumber(query.Type);
			byte[] question = Message.Build(query.Name, type, ident);
			byte[] framed = new byte[question.Length + 2];
			framed[0] = (byte)(question.Length >> 8);
			framed[1] = (byte)question.Length;
			question.CopyTo(framed, 2);
			IPAddress address = IPAddress.Parse(query.Resolver);
			using (Socket socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp))
			{
				IAsyncResult connecting = socket.BeginConnect(address, 53, null, null);
				if (!connecting.AsyncWaitHandle.WaitOne(deadline.ClampMs(timeoutMs))) { throw new SocketException((int)SocketError.TimedOut); }
				socket.EndConnect(connecting);
				socket.Send(framed);
				byte[] raw = new byte[65537];
				int have = 0;
				while (have < 2 || have < 2 + ((raw[0] << 8) | raw[1]))
				{
					double left = end - deadline.ElapsedMs;
					if (left <= 0 || !socket.Poll((int)(left * 1000.0), SelectMode.SelectRead)) { throw new SocketException((int)SocketError.TimedOut); }
					int got = socket.Receive(raw, have, Math.Min(8192, raw.Length - have), SocketFlags.None);
					if (got == 0) { throw new EndOfStreamException("closed within the reply"); }
					have += got;
				}
				int length = (raw[0] << 8) | raw[1];
				byte[] message = new byte[length];
				Array.Copy(raw, 2, message, 0, length);
				Reply reply = Message.Parse(message, length, query.Name, type, ident);
				if (reply == null) { throw new MalformedException("a reply to another question"); }
				return reply;
			}
		}

		/// <summary>Runs work; a fault of the network goes into the query, and false comes back.</summary>
		private static bool Guard(Query query, double start, Deadline deadline, Whether work)
		{
			try { return work(); }
			catch (SocketException error)
			{
				if (error.SocketErrorCode == SocketError.WouldBlock) { return false; }
				// An ICMP error after a good answer: the answer counts.
				if (query.First != null && !query.Truncated) { return false; }
				query.Error = Fault.From("dns", error);
				// Winsock tells of "port unreachable" as a reset connection.
				if (error.SocketErrorCode == SocketError.ConnectionReset) { query.Error["code"] = "refused"; }
			}
			catch (MalformedException error) { query.Error = Fault.Make("dns", "malformed", null, error.Message); }
			catch (FormatException error) { query.Error = Fault.Make("dns", "malformed", null, error.Message); }
			catch (EndOfStreamException error) { query.Error = Fault.Make("dns", "eof", null, error.Message); }
			query.Elapsed = Text.Ms(deadline.ElapsedMs - start);
			return false;
		}
	}
}
