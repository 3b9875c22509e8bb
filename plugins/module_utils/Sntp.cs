// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Timebase;

// SNTP client (RFC 5905 section 7.3 and 14, RFC 4330). Sends, receives, reports fields; what they mean is judged on the control node.
namespace ansible_collections.edefter.ready.plugins.module_utils.Sntp
{
	/// <summary>The 48-byte NTP header.</summary>
	public static class Packet
	{
		public const int Size = 48;
		private const int OriginAt = 24;
		private const int TransmitAt = 40;

		/// <summary>A client request that tells nothing of this machine: version 4, mode 3, a random cookie as transmit timestamp.</summary>
		public static byte[] Request(byte[] cookie)
		{
			byte[] packet = new byte[Size];
			packet[0] = 0x23;
			Buffer.BlockCopy(cookie, 0, packet, TransmitAt, 8);
			return packet;
		}

		/// <summary>An answer to the request with this cookie: long enough, mode server, cookie echoed as origin timestamp.</summary>
		public static bool Answers(byte[] packet, int length, byte[] cookie)
		{
			if (length < Size || (packet[0] & 7) != 4) { return false; }
			for (int i = 0; i < 8; i++) { if (packet[OriginAt + i] != cookie[i]) { return false; } }
			return true;
		}

		/// <summary>The kiss code of a stratum 0 answer ("RATE", "DENY", …; "" when it is not text); null for other answers.</summary>
		public static string Kiss(byte[] packet)
		{
			if (packet[1] != 0) { return null; }
			StringBuilder code = new StringBuilder(4);
			for (int i = 12; i < 16; i++)
			{
				if (packet[i] >= 0x21 && packet[i] <= 0x7E) { code.Append((char)packet[i]); }
				else if (packet[i] != 0) { return ""; }
			}
			return code.ToString();
		}

		/// <summary>Header fields as numbers, 64-bit timestamps as 16 hex digits.</summary>
		public static Dictionary<string, object> Fields(byte[] packet)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["leap"] = (long)(packet[0] >> 6);
			result["version"] = (long)((packet[0] >> 3) & 7);
			result["mode"] = (long)(packet[0] & 7);
			result["stratum"] = (long)packet[1];
			result["poll"] = (long)(sbyte)packet[2];
			result["precision"] = (long)(sbyte)packet[3];
			result["root_delay"] = Word(packet, 4);
			result["root_dispersion"] = Word(packet, 8);
			result["refid"] = Hex(packet, 12, 4);
			result["reference"] = Hex(packet, 16, 8);
			result["receive"] = Hex(packet, 32, 8);
			result["transmit"] = Hex(packet, 40, 8);
			return result;
		}

		private static long Word(byte[] packet, int at)
		{
			return ((long)packet[at] << 24) | ((long)packet[at + 1] << 16) | ((long)packet[at + 2] << 8) | packet[at + 3];
		}

		private static string Hex(byte[] packet, int at, int count)
		{
			StringBuilder result = new StringBuilder(count * 2);
			for (int i = 0; i < count; i++) { result.Append(packet[at + i].ToString("x2", CultureInfo.InvariantCulture)); }
			return result.ToString();
		}
	}

	/// <summary>How one source is sampled.</summary>
	public sealed class SamplingPlan
	{
		/// <summary>Most requests that may leave, lost ones included.</summary>
		public int Samples;
		public long IntervalTicks;
		/// <summary>Longest wait for one answer.</summary>
		public long WaitTicks;
		/// <summary>Unanswered requests in a row after which the server is given up.</summary>
		public int Patience;
	}

	/// <summary>Samples one server over one socket (an ephemeral port) and stops as soon as more would be of no use or unwelcome.</summary>
	public sealed class SntpClient
	{
		private readonly Timeline timeline;
		private readonly Deadline deadline;
		private readonly Random random;
		private readonly List<object> samples = new List<object>();
		private readonly List<long> delays = new List<long>();

		public int Sent;
		public long Stray;
		public string Kiss;
		public Dictionary<string, object> Error;
		/// <summary>Called for each answer that tells a time; null: nobody waits for it.</summary>
		public Action Answered;

		public SntpClient(Timeline timeline, Deadline deadline, Random random)
		{
			this.timeline = timeline;
			this.deadline = deadline;
			this.random = random;
		}

		public List<object> Samples { get { return samples; } }

		/// <summary>Samples the address. True when at least one answer came; Error says what became of the last unanswered request.</summary>
		public bool Measure(IPAddress address, int port, SamplingPlan plan)
		{
			int silent = 0;
			try
			{
				using (Socket socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp))
				{
					// Connected: the system drops datagrams of others and passes on "port unreachable".
					socket.Connect(new IPEndPoint(address, port));
					long next = timeline.Mono;
					while (Sent < plan.Samples)
					{
						if (!Pause.Until(timeline, next, deadline)) { Cut(); break; }
						bool answered = Once(socket, plan.WaitTicks);
						if (Kiss != null) { break; }
						silent = answered ? 0 : silent + 1;
						if (silent >= plan.Patience || (answered && Settled())) { break; }
						if (deadline.Expired) { Cut(); break; }
						next = timeline.Mono + (long)(plan.IntervalTicks * (0.75 + 0.5 * random.NextDouble()));
					}
				}
			}
			catch (SocketException error)
			{
				Error = Fault.From("ntp", error);
			}
			return samples.Count > 0;
		}

		/// <summary>Two samples with about the same delay show an idle path: a third would tell nothing new.</summary>
		private bool Settled()
		{
			if (delays.Count < 2) { return false; }
			delays.Sort();
			return delays[1] - delays[0] <= Math.Max(2 * Timeline.TicksPerMs, delays[0] / 8);
		}

		private void Cut()
		{
			deadline.Cut();
			Error = Fault.Make("ntp", "deadline", null, "the overall deadline ended the sampling");
		}

		private bool Once(Socket socket, long waitTicks)
		{
			byte[] cookie = new byte[8];
			using (RandomNumberGenerator generator = RandomNumberGenerator.Create()) { generator.GetBytes(cookie); }
			byte[] request = Packet.Request(cookie);
			byte[] buffer = new byte[1024];
			Instant sent = timeline.Before();
			Sent++;
			socket.Send(request);
			while (true)
			{
				long left = Math.Min(waitTicks - (timeline.Mono - sent.Mono), (long)(deadline.RemainingMs * Timeline.TicksPerMs));
				if (left <= 0 || !socket.Poll((int)(left / 10 + 1), SelectMode.SelectRead))
				{
					if (left <= 0 || timeline.Mono - sent.Mono >= waitTicks || deadline.Expired)
					{
						if (deadline.Expired) { deadline.Cut(); }
						Error = Fault.Make("ntp", "timeout", null, "no answer");
						return false;
					}
					continue;
				}
				int length = socket.Receive(buffer);
				Instant received = timeline.After();
				if (!Packet.Answers(buffer, length, cookie))
				{
					// Late answers to an earlier request, or somebody's guess: counted, never used. A flood must not keep us.
					if (++Stray > 64) { Error = Fault.Make("ntp", "stray_answers", null, "too many datagrams that answer no request"); return false; }
					continue;
				}
				Dictionary<string, object> sample = Packet.Fields(buffer);
				sample["t1"] = Timeline.Text(sent.Wall);
				sample["mono"] = sent.Mono;
				sample["delay"] = received.Mono - sent.Mono;
				sample["wall_delay"] = Timeline.Text(received.Wall - sent.Wall);
				samples.Add(sample);
				delays.Add(received.Mono - sent.Mono);
				Kiss = Packet.Kiss(buffer);
				Error = null;
				if (Kiss == null && Answered != null) { Answered(); }
				return true;
			}
		}
	}
}
