// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Timebase;

// The Date header of an https server (RFC 9110 section 6.6.1) as a clock: whole seconds, made sharp by requests that arrive just when
// the second is expected to turn. Reports what was sent, when, and what came back; the control node judges.
namespace ansible_collections.edefter.ready.plugins.module_utils.HttpDate
{
	/// <summary>One TLS connection. A certificate is accepted when it is trusted, or when its dates are all that is wrong with it.</summary>
	public sealed class TlsLine : IDisposable
	{
		private readonly Socket socket;
		private readonly Timer watchdog;
		private SslStream stream;
		private bool late;
		private readonly List<object> problems = new List<object>();

		public X509Certificate2 Certificate;

		public List<object> Problems { get { return problems; } }
		public bool Late { get { return late; } }

		public TlsLine(IPAddress address)
		{
			socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
			socket.NoDelay = true;
			// Closing the socket is the one thing that ends every wait below it, on every framework version.
			watchdog = new Timer(delegate(object unused) { late = true; Close(); }, null, Timeout.Infinite, Timeout.Infinite);
		}

		public void Allow(int ms)
		{
			watchdog.Change(ms, Timeout.Infinite);
		}

		public void Connect(IPAddress address, int port, int waitMs)
		{
			IAsyncResult pending = socket.BeginConnect(new IPEndPoint(address, port), null, null);
			if (!pending.AsyncWaitHandle.WaitOne(waitMs)) { throw new TimeoutException("no connection within " + waitMs.ToString(CultureInfo.InvariantCulture) + " ms"); }
			socket.EndConnect(pending);
		}

		public void Handshake(string host)
		{
			stream = new SslStream(new NetworkStream(socket, false), false, Accept);
			stream.AuthenticateAsClient(host, null, SslProtocols.Tls12, false);
		}

		private bool Accept(object sender, X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
		{
			if (certificate != null) { Certificate = new X509Certificate2(certificate); }
			if ((errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0) { problems.Add("not_available"); }
			if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0) { problems.Add("name_mismatch"); }
			bool explained = (errors & SslPolicyErrors.RemoteCertificateChainErrors) == 0;
			if (!explained && chain != null)
			{
				foreach (X509ChainStatus status in chain.ChainStatus)
				{
					if (status.Status == X509ChainStatusFlags.NoError) { continue; }
					explained = true;
					bool time = status.Status == X509ChainStatusFlags.NotTimeValid;
					string name = time ? "time" : Core.Text.Bound(status.Status.ToString(), 60);
					if (!problems.Contains(name)) { problems.Add(name); }
				}
			}
			if (!explained) { problems.Add("chain"); }
			// A clock that is years off makes every certificate look expired or not yet valid. Nothing but that is forgiven, nothing that would
			// need protection is sent, and the control node takes the Date only when it lies within the certificate's own dates.
			foreach (object problem in problems) { if (!"time".Equals(problem)) { return false; } }
			return true;
		}

		public void Send(byte[] bytes)
		{
			stream.Write(bytes, 0, bytes.Length);
			stream.Flush();
		}

		public int Receive(byte[] buffer, int at)
		{
			return stream.Read(buffer, at, buffer.Length - at);
		}

		private void Close()
		{
			try { socket.Close(); }
			catch (SocketException) { late = true; }
		}

		public void Dispose()
		{
			watchdog.Dispose();
			Close();
		}
	}

	/// <summary>Where the turn of the server's second may lie, in ticks of (server minus host); narrowed by every answer.</summary>
	public sealed class Aim
	{
		public const long Second = 10000000L;
		private long low = long.MinValue;
		private long high = long.MaxValue;

		public bool Known { get { return low != long.MinValue; } }
		public long Width { get { return Known ? high - low : long.MaxValue; } }

		public void Narrow(long date, long sentWall, long elapsed)
		{
			long newLow = date - (sentWall + elapsed);
			long newHigh = date + Second - sentWall;
			low = Known ? Math.Max(low, newLow) : newLow;
			high = Known ? Math.Min(high, newHigh) : newHigh;
			// Contradiction: the clock was set, or the server repeats an old Date. Start again from this answer.
			if (low > high) { low = newLow; high = newHigh; }
		}

		/// <summary>count arrival times by the host's wall clock, after `earliest`, that cut the doubtful stretch into equal parts; ascending.</summary>
		public List<long> Targets(int count, long earliest)
		{
			List<long> result = new List<long>();
			for (int j = 1; j <= count; j++)
			{
				long phase = -(low + (high - low) / (count + 1) * j);
				long turn = phase + ((earliest - phase) / Second) * Second;
				while (turn < earliest) { turn += Second; }
				result.Add(turn);
			}
			result.Sort();
			return result;
		}

		/// <summary>Whether the turn may still lie at this arrival time.</summary>
		public bool Doubtful(long arrival)
		{
			long turns = (arrival + high) / Second;
			long offset = turns * Second - arrival;
			while (offset > high) { offset -= Second; }
			return offset > low;
		}
	}

	/// <summary>Asks one https server several times.</summary>
	public sealed class HttpDateClient
	{
		/// <summary>Requests that count; the first one of a connection comes on top and only serves the aim.</summary>
		public const int Requests = 6;
		private const int RoundSize = 3;
		/// <summary>The last answer is due this long after the measurement began, so that all of it takes no more than three seconds…</summary>
		private const long Budget = 25000000L;
		/// <summary>… but a line that is slow to connect still gets one turn of the second.</summary>
		private const long Least = 11000000L;

		private readonly Timeline timeline;
		private readonly Deadline deadline;
		private readonly string host;
		private readonly int port;
		private readonly int timeoutMs;
		private readonly byte[] request;
		private readonly List<object> requests = new List<object>();
		private readonly Aim aim = new Aim();
		private TlsLine line;
		private bool fresh;
		private int connections;
		private long roundTrip = long.MaxValue;

		public Dictionary<string, object> Certificate;
		public Dictionary<string, object> Error;
		public IPAddress Address;

		public HttpDateClient(Timeline timeline, Deadline deadline, string host, int port, string path, int timeoutMs)
		{
			this.timeline = timeline;
			this.deadline = deadline;
			this.host = host;
			this.port = port;
			this.timeoutMs = timeoutMs;
			string name = port == 443 ? host : host + ":" + port.ToString(CultureInfo.InvariantCulture);
			string target = Safe(path) ? path : "/";
			request = Encoding.ASCII.GetBytes("HEAD " + target + " HTTP/1.1\r\nHost: " + name + "\r\nUser-Agent: edefter-ready\r\nAccept: */*\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n");
		}

		public List<object> Answers { get { return requests; } }

		/// <summary>Runs the whole series against the first address that connects; Error says why it ended early.</summary>
		public void Measure(IList<IPAddress> addresses)
		{
			string phase = "tcp";
			try
			{
				if (!Safe(host)) { Error = Fault.Make("http", "bad_host", null, "the host name holds characters that no name has"); return; }
				foreach (IPAddress address in addresses)
				{
					Address = address;
					try { phase = "tcp"; Open(ref phase); Error = null; break; }
					catch (SocketException error) { Error = Fault.From(phase, error); }
					catch (TimeoutException error) { Error = Fault.From(phase, error); }
					if (deadline.Expired) { break; }
				}
				if (line == null) { return; }
				phase = "http";
				Series(ref phase);
			}
			catch (Exception error)
			{
				Error = line != null && line.Late ? Fault.Make(phase, "timeout", null, "no answer in time") : Fault.From(phase, error);
				if (phase == "tls" && line != null && line.Problems.Count > 0 && !line.Late) { Error = Fault.Make("tls", "untrusted", null, Join(line.Problems)); }
			}
			finally { Drop(); }
		}

		private void Series(ref string phase)
		{
			Ask();
			long last = Math.Max(Budget - (roundTrip == long.MaxValue ? 0 : roundTrip), timeline.Mono + Least);
			int used = 0;
			while (used < Requests && aim.Known && aim.Width > roundTrip + roundTrip / 5 + 20000)
			{
				if (line == null) { Open(ref phase); phase = "http"; }
				Instant now = timeline.After();
				int asked = 0;
				foreach (long arrival in aim.Targets(Math.Min(RoundSize, Requests - used), now.Wall + roundTrip / 2 + 20000))
				{
					if (asked > 0 && !aim.Doubtful(arrival)) { continue; }
					if (line == null) { Open(ref phase); phase = "http"; }
					long when = now.Mono + (arrival - roundTrip / 2 - now.Wall);
					if (when > last) { break; }
					if (!Pause.Until(timeline, when, deadline)) { deadline.Cut(); Error = Fault.Make("http", "deadline", null, "the overall deadline ended the requests"); return; }
					if (!Ask()) { return; }
					asked++;
					used++;
				}
				if (asked == 0) { break; }
			}
		}

		private void Open(ref string phase)
		{
			Drop();
			if (++connections > Requests + 3) { throw new InvalidDataException("the server closes every connection"); }
			phase = "tcp";
			TlsLine opened = new TlsLine(Address);
			try
			{
				opened.Connect(Address, port, deadline.ClampMs(timeoutMs));
				phase = "tls";
				line = opened;
				opened.Allow(deadline.ClampMs(timeoutMs));
				opened.Handshake(host);
			}
			catch (Exception)
			{
				if (phase == "tcp") { opened.Dispose(); }
				throw;
			}
			finally
			{
				if (phase == "tls") { Describe(opened); }
			}
			fresh = true;
		}

		private void Describe(TlsLine opened)
		{
			if (opened.Certificate == null) { return; }
			Dictionary<string, object> certificate = new Dictionary<string, object>();
			certificate["not_before"] = Core.Text.Iso(opened.Certificate.NotBefore.ToUniversalTime());
			certificate["not_after"] = Core.Text.Iso(opened.Certificate.NotAfter.ToUniversalTime());
			certificate["issuer"] = Core.Text.Bound(opened.Certificate.Issuer, 300);
			certificate["problems"] = new List<object>(opened.Problems);
			Certificate = certificate;
		}

		private void Drop()
		{
			if (line != null) { line.Dispose(); line = null; }
		}

		/// <summary>One request and its answer's head. False: the answer cannot be used, nor the line.</summary>
		private bool Ask()
		{
			byte[] buffer = new byte[16384];
			bool first = fresh;
			fresh = false;
			line.Allow(deadline.ClampMs(timeoutMs));
			Instant sent = timeline.Before();
			line.Send(request);
			int length = line.Receive(buffer, 0);
			Instant received = timeline.After();
			int end = HeadEnd(buffer, length);
			while (length > 0 && end < 0 && length < buffer.Length)
			{
				int more = line.Receive(buffer, length);
				if (more <= 0) { break; }
				length += more;
				end = HeadEnd(buffer, length);
			}
			if (end < 0)
			{
				Error = line.Late ? Fault.Make("http", "timeout", null, "no whole answer in time") : Fault.Make("http", "bad_answer", null, "the connection ended before the answer's head did");
				Drop();
				return false;
			}
			Dictionary<string, string> head = Head(Encoding.ASCII.GetString(buffer, 0, end));
			Dictionary<string, object> answer = new Dictionary<string, object>();
			answer["t1"] = Timeline.Text(sent.Wall);
			answer["mono"] = sent.Mono;
			answer["elapsed"] = received.Mono - sent.Mono;
			answer["wall_elapsed"] = Timeline.Text(received.Wall - sent.Wall);
			answer["first"] = first;
			answer["status"] = Status(Value(head, ":status"));
			foreach (string name in new string[] { "date", "age", "via", "server", "x-cache" }) { answer[name.Replace('-', '_')] = Core.Text.Bound(Value(head, name), 120); }
			requests.Add(answer);
			long elapsed = received.Mono - sent.Mono;
			if (!first || roundTrip == long.MaxValue) { roundTrip = Math.Min(roundTrip, elapsed); }
			DateTime date;
			if (DateTime.TryParseExact(Value(head, "date"), "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out date))
			{
				aim.Narrow(date.Ticks - new DateTime(1970, 1, 1).Ticks, sent.Wall, elapsed);
			}
			line.Allow(Timeout.Infinite);
			string connection = Value(head, "connection") ?? "";
			string version = Value(head, ":version") ?? "";
			bool closes = connection.IndexOf("close", StringComparison.OrdinalIgnoreCase) >= 0 || (version == "HTTP/1.0" && connection.IndexOf("keep-alive", StringComparison.OrdinalIgnoreCase) < 0);
			if (closes || length > end) { Drop(); }
			return true;
		}

		private static int HeadEnd(byte[] buffer, int length)
		{
			for (int i = 3; i < length; i++)
			{
				if (buffer[i] == '\n' && buffer[i - 1] == '\r' && buffer[i - 2] == '\n' && buffer[i - 3] == '\r') { return i + 1; }
			}
			return -1;
		}

		/// <summary>Header fields by lower-case name (the first of each), the status line as :version and :status.</summary>
		public static Dictionary<string, string> Head(string text)
		{
			Dictionary<string, string> result = new Dictionary<string, string>(StringComparer.Ordinal);
			string[] lines = text.Split(new string[] { "\r\n" }, StringSplitOptions.None);
			string[] words = lines[0].Split(' ');
			if (words.Length >= 2 && words[0].StartsWith("HTTP/", StringComparison.Ordinal)) { result[":version"] = words[0]; result[":status"] = words[1]; }
			for (int i = 1; i < lines.Length; i++)
			{
				int colon = lines[i].IndexOf(':');
				if (colon <= 0) { continue; }
				string name = lines[i].Substring(0, colon).ToLowerInvariant();
				if (!result.ContainsKey(name)) { result[name] = lines[i].Substring(colon + 1).Trim(' ', '\t'); }
			}
			return result;
		}

		private static string Value(Dictionary<string, string> head, string name)
		{
			string value;
			return head.TryGetValue(name, out value) ? value : null;
		}

		private static object Status(string text)
		{
			int value;
			return text != null && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= 100 && value <= 999 ? (object)(long)value : null;
		}

		private static bool Safe(string text)
		{
			if (string.IsNullOrEmpty(text)) { return false; }
			foreach (char c in text) { if (c <= ' ' || c > '~') { return false; } }
			return true;
		}

		private static string Join(List<object> items)
		{
			StringBuilder result = new StringBuilder();
			foreach (object item in items) { if (result.Length > 0) { result.Append(", "); } result.Append(item); }
			return result.ToString();
		}
	}
}
