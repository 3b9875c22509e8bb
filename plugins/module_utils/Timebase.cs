// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

// What the clock's sources share: the two clocks read together, and names turned into addresses.
namespace ansible_collections.edefter.ready.plugins.module_utils.Timebase
{
	/// <summary>Both clocks at one moment, in 100 ns: Wall since 1970 UTC, Mono since the timeline began.</summary>
	public struct Instant
	{
		public long Wall;
		public long Mono;
	}

	/// <summary>Reads the wall clock beside the monotonic one, so that a wall clock that is set meanwhile is noticed.</summary>
	public sealed class Timeline
	{
		public const long TicksPerMs = 10000L;
		private static readonly long Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;
		private readonly Stopwatch watch = Stopwatch.StartNew();

		public long Mono { get { return watch.Elapsed.Ticks; } }

		/// <summary>For the moment before a request leaves: Mono is read no later than Wall.</summary>
		public Instant Before()
		{
			return Read(true);
		}

		/// <summary>For the moment after an answer came: Mono is read no earlier than Wall.</summary>
		public Instant After()
		{
			return Read(false);
		}

		private Instant Read(bool early)
		{
			Instant result = new Instant();
			// A thread put aside between the readings would look like a stepped clock: read again, a few times at most.
			for (int attempt = 0; attempt < 4; attempt++)
			{
				long before = watch.Elapsed.Ticks;
				result.Wall = HostApi.HostApi.UtcNow().Ticks - Epoch;
				long after = watch.Elapsed.Ticks;
				result.Mono = early ? before : after;
				// An answer's moment is its first reading; only what is about to be sent may wait for a better one.
				if (after - before < 500 || !early) { break; }
			}
			return result;
		}

		public static string Text(long ticks)
		{
			return ticks.ToString(CultureInfo.InvariantCulture);
		}
	}

	/// <summary>Numbers for orders and pauses; the same seed gives the same ones. Never used for secrets.</summary>
	public static class Shuffle
	{
		public static void InPlace<T>(IList<T> items, Random random)
		{
			for (int i = items.Count - 1; i > 0; i--)
			{
				int j = random.Next(i + 1);
				T kept = items[i];
				items[i] = items[j];
				items[j] = kept;
			}
		}
	}

	public static class Names
	{
		/// <summary>Addresses of a name within waitMs, in the resolver's order, at most 16. Raises SocketException or TimeoutException.</summary>
		public static List<IPAddress> Resolve(string host, int waitMs)
		{
			List<IPAddress> result = new List<IPAddress>();
			IPAddress literal;
			if (IPAddress.TryParse(host, out literal))
			{
				result.Add(literal);
				return result;
			}
			IAsyncResult pending = System.Net.Dns.BeginGetHostAddresses(host, null, null);
			if (!pending.AsyncWaitHandle.WaitOne(waitMs)) { throw new TimeoutException("no answer to the name query within " + waitMs.ToString(CultureInfo.InvariantCulture) + " ms"); }
			foreach (IPAddress address in System.Net.Dns.EndGetHostAddresses(pending))
			{
				if (result.Count < 16 && (address.AddressFamily == AddressFamily.InterNetwork || address.AddressFamily == AddressFamily.InterNetworkV6)) { result.Add(address); }
			}
			if (result.Count == 0) { throw new SocketException((int)SocketError.NoData); }
			return result;
		}

		/// <summary>An address of the site's own network: RFC 1918, RFC 4193 and link-local ones. Loopback is not one.</summary>
		public static bool IsLan(IPAddress address)
		{
			if (address.IsIPv4MappedToIPv6) { address = address.MapToIPv4(); }
			byte[] b = address.GetAddressBytes();
			if (b.Length == 4)
			{
				return b[0] == 10 || (b[0] == 172 && b[1] >= 16 && b[1] <= 31) || (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254);
			}
			return (b[0] & 0xFE) == 0xFC || address.IsIPv6LinkLocal;
		}

		public static List<object> Texts(IList<IPAddress> addresses)
		{
			List<object> result = new List<object>();
			foreach (IPAddress address in addresses) { result.Add(address.ToString()); }
			return result;
		}
	}

	/// <summary>Pauses that end with the deadline.</summary>
	public static class Pause
	{
		/// <summary>Waits until the timeline reaches mono; false when the deadline comes first.</summary>
		public static bool Until(Timeline timeline, long mono, Deadline deadline)
		{
			while (true)
			{
				double ms = (mono - timeline.Mono) / (double)Timeline.TicksPerMs;
				if (ms <= 0.0) { return true; }
				if (deadline.Expired) { return false; }
				// Windows wakes a sleeper up to 16 ms late; the last stretch is slept in small bites.
				Thread.Sleep(ms > 32.0 ? deadline.ClampMs(ms - 17.0) : 1);
			}
		}
	}
}
