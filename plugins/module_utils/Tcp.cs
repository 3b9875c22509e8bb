// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

// One TCP connect to one address, with its typed error. Twin of tcp.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Tcp
{
	public static class TcpProbe
	{
		/// <summary>An attempt that nobody waits for any longer: silent by the time that all others had their answers.</summary>
		public static void Silent(Dictionary<string, object> attempt)
		{
			Dictionary<string, object> tcp = (Dictionary<string, object>)attempt["tcp"];
			Dictionary<string, object> error = tcp["error"] as Dictionary<string, object>;
			if (error == null || (string)error["code"] != "deadline") { return; }
			attempt["tcp"] = Outcome(Fault.Make("tcp", "timeout", null, "no answer by the time that all others had theirs"), null);
		}

		/// <summary>TCP of docs/observation-endpoints.md. icmp stays null: Winsock does not tell who sent it.</summary>
		public static Dictionary<string, object> Outcome(Dictionary<string, object> error, object elapsedMs)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["error"] = error;
			result["elapsed_ms"] = elapsedMs;
			result["local_address"] = null;
			result["icmp"] = null;
			return result;
		}

		/// <summary>Closes what an exchange is over with; the other side may have closed it already.</summary>
		public static void Close(Stream stream)
		{
			try { stream.Dispose(); }
			catch (IOException) { return; }
			catch (InvalidOperationException) { return; }
		}

		public static long Family(string address)
		{
			return address.IndexOf(':') >= 0 ? 6L : 4L;
		}

		/// <summary>Connects; null and an outcome with the error when that fails. Never raises for a fault of the network.</summary>
		public static Socket Connect(string address, int port, double timeoutMs, Deadline deadline, out Dictionary<string, object> outcome)
		{
			double start = deadline.ElapsedMs;
			if (deadline.Expired)
			{
				deadline.Cut();
				outcome = Outcome(Fault.Make("tcp", "deadline", null, "not begun: the overall deadline is over"), null);
				return null;
			}
			Socket socket = null;
			bool waited = false;
			try
			{
				IPAddress ip = IPAddress.Parse(address);
				socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
				socket.NoDelay = true;
				bool cut = deadline.RemainingMs < timeoutMs;
				int wait = deadline.ClampMs(timeoutMs);
				IAsyncResult connecting = socket.BeginConnect(ip, port, null, null);
				waited = !connecting.CompletedSynchronously;
				if (!connecting.AsyncWaitHandle.WaitOne(wait))
				{
					socket.Close();
					if (cut) { deadline.Cut(); }
					outcome = Outcome(Fault.Make("tcp", cut ? "deadline" : "timeout", (long)SocketError.TimedOut, "no answer to SYN"), Text.Ms(deadline.ElapsedMs - start));
					return null;
				}
				socket.EndConnect(connecting);
				outcome = Outcome(null, Text.Ms(deadline.ElapsedMs - start));
				outcome["local_address"] = ((IPEndPoint)socket.LocalEndPoint).Address.ToString();
				return socket;
			}
			catch (SocketException error)
			{
				if (socket != null) { socket.Close(); }
				Dictionary<string, object> fault = Fault.From("tcp", error);
				double took = deadline.ElapsedMs - start;
				// WSAEACCES is a filter on this very machine. Unix also says it for ICMPv6 "administratively prohibited", but only later.
				if ("access_denied".Equals(fault["code"]) && waited && Environment.OSVersion.Platform == PlatformID.Unix) { fault["code"] = "host_unreachable"; }
				outcome = Outcome(fault, Text.Ms(took));
			}
			catch (FormatException error)
			{
				outcome = Outcome(Fault.Make("tcp", "address_not_available", null, error.Message), null);
			}
			return null;
		}
	}

	/// <summary>
	/// A socket as a stream, with an end time for everything and a memory of the first bytes that came: what TLS and HTTP read
	/// from. Failure says what ended it, in the words of both twins, whatever the layers above make of the exception.
	/// </summary>
	public sealed class TeeStream : Stream
	{
		public const int MaxTee = 65536;

		private readonly Socket socket;
		private readonly Deadline deadline;
		private readonly MemoryStream first = new MemoryStream();
		private double end;
		private bool cutShort;

		public long Received;
		/// <summary>On the deadline's clock, when the last byte came.</summary>
		public double LastAt;
		public bool Limited;
		/// <summary>null | timeout | deadline | reset | eof | … of the first thing that went wrong.</summary>
		public string Failure;
		public long? Native;
		public string Why;
		/// <summary>Called once when nothing has come by stallAt.</summary>
		public Action OnStall;
		public double StallAt;

		public TeeStream(Socket socket, Deadline deadline)
		{
			this.socket = socket;
			this.deadline = deadline;
		}

		/// <summary>From now on everything has to be over within ms (or by the deadline).</summary>
		public void Allow(double ms)
		{
			cutShort = deadline.RemainingMs < ms;
			end = deadline.ElapsedMs + deadline.ClampMs(ms);
		}

		public byte[] First()
		{
			lock (first) { return first.ToArray(); }
		}

		public override int Read(byte[] buffer, int offset, int count)
		{
			if (Failure == "eof") { return 0; }
			if (OnStall != null && Received == 0 && StallAt < end && !Wait(StallAt, SelectMode.SelectRead))
			{
				Action told = OnStall;
				OnStall = null;
				told();
			}
			if (!Wait(end, SelectMode.SelectRead)) { throw Late(); }
			try
			{
				int got = socket.Receive(buffer, offset, count, SocketFlags.None);
				if (got == 0) { Fail("eof", null, "closed by the other side"); return 0; }
				Received += got;
				LastAt = deadline.ElapsedMs;
				lock (first) { if (first.Length < MaxTee) { first.Write(buffer, offset, (int)Math.Min(got, MaxTee - first.Length)); } }
				return got;
			}
			catch (SocketException error)
			{
				Fail(Fault.SocketCode(error.SocketErrorCode), error.ErrorCode, error.Message);
				throw new IOException(error.Message, error);
			}
		}

		/// <summary>Takes what has arrived already, for evidence: a TLS layer that meets HTTP stops after five bytes.</summary>
		public void Drain()
		{
			if (Failure != null) { return; }
			byte[] buffer = new byte[4096];
			try
			{
				while (Received < MaxTee && socket.Poll(0, SelectMode.SelectRead)) { if (Read(buffer, 0, buffer.Length) == 0) { break; } }
			}
			catch (IOException) { return; }
			catch (ObjectDisposedException) { return; }
		}

		public override void Write(byte[] buffer, int offset, int count)
		{
			try
			{
				while (count > 0)
				{
					if (!Wait(end, SelectMode.SelectWrite)) { throw Late(); }
					int sent = socket.Send(buffer, offset, Math.Min(count, 8192), SocketFlags.None);
					offset += sent;
					count -= sent;
				}
			}
			catch (SocketException error)
			{
				Fail(Fault.SocketCode(error.SocketErrorCode), error.ErrorCode, error.Message);
				throw new IOException(error.Message, error);
			}
		}

		private bool Wait(double until, SelectMode mode)
		{
			double left = until - deadline.ElapsedMs;
			return left > 0 && socket.Poll((int)Math.Min(left * 1000.0, 2000000000.0), mode);
		}

		private IOException Late()
		{
			if (cutShort) { deadline.Cut(); }
			Fail(cutShort ? "deadline" : "timeout", (long)SocketError.TimedOut, "timed out");
			return new IOException("timed out", new SocketException((int)SocketError.TimedOut));
		}

		private void Fail(string code, long? native, string why)
		{
			if (Failure != null) { return; }
			Failure = code;
			Native = native;
			Why = why;
		}

		public override bool CanRead { get { return true; } }
		public override bool CanWrite { get { return true; } }
		public override bool CanSeek { get { return false; } }
		public override bool CanTimeout { get { return true; } }
		public override int ReadTimeout { get; set; }
		public override int WriteTimeout { get; set; }
		public override long Length { get { throw new NotSupportedException(); } }
		public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
		public override void Flush() { }
		public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
		public override void SetLength(long value) { throw new NotSupportedException(); }

		protected override void Dispose(bool disposing)
		{
			if (disposing) { socket.Close(); }
			base.Dispose(disposing);
		}
	}
}
