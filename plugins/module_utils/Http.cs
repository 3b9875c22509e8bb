// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;
using ansible_collections.edefter.ready.plugins.module_utils.Certs;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Tcp;

// One HTTP exchange, minimal and bounded: no credential, no cookie, no redirect followed. Twin of http_probe.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Http
{
	/// <summary>Not an HTTP answer.</summary>
	public sealed class HttpMalformed : Exception
	{
		public HttpMalformed(string why) : base(why) { }
	}

	/// <summary>A response head (RFC 9112 sections 4 and 5), lenient in line ends.</summary>
	public sealed class Head
	{
		public string Version;
		public int Status;
		public string Reason;
		/// <summary>Lower-case name to value, repeated ones joined by a comma.</summary>
		public readonly Dictionary<string, string> Headers = new Dictionary<string, string>(StringComparer.Ordinal);

		private static readonly Regex StatusLine = new Regex("^(HTTP/[0-9]\\.[0-9]) +([0-9]{3})(?: +([^\\r\\n]*))?\\z", RegexOptions.CultureInvariant);
		private static readonly Regex Token = new Regex("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}\\z", RegexOptions.CultureInvariant);

		/// <summary>Where the body begins; -1 while the head is not complete. start: where it cannot have ended before.</summary>
		public static int EndOf(byte[] raw, int start, int length)
		{
			for (int i = start; i + 1 < length; i++)
			{
				if (raw[i] != '\n') { continue; }
				if (raw[i + 1] == '\n') { return i + 2; }
				if (i + 2 < length && i > 0 && raw[i - 1] == '\r' && raw[i + 1] == '\r' && raw[i + 2] == '\n') { return i + 3; }
			}
			return -1;
		}

		public static Head Parse(string text)
		{
			string[] lines = text.Replace("\r\n", "\n").Split('\n');
			Match match = StatusLine.Match(lines[0]);
			if (!match.Success) { throw new HttpMalformed("no status line"); }
			Head head = new Head();
			head.Version = match.Groups[1].Value;
			head.Status = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
			head.Reason = match.Groups[3].Value.Trim();
			for (int i = 1; i < lines.Length && i < 200; i++)
			{
				int colon = lines[i].IndexOf(':');
				if (colon <= 0 || !Token.IsMatch(lines[i].Substring(0, colon))) { continue; }
				string name = lines[i].Substring(0, colon).ToLowerInvariant();
				string value = lines[i].Substring(colon + 1).Trim(' ', '\t');
				head.Headers[name] = head.Headers.ContainsKey(name) ? head.Headers[name] + ", " + value : value;
			}
			return head;
		}

		public string Value(string name)
		{
			string value;
			return Headers.TryGetValue(name, out value) ? value : null;
		}
	}

	/// <summary>Takes a body as it comes in (RFC 9112 section 6): by chunks, by length, or to the end of the connection.</summary>
	public sealed class Body
	{
		public const int MaxBody = 65536;
		private const int MaxSnippet = 512;

		private readonly MemoryStream content = new MemoryStream();
		private readonly bool chunked;
		private readonly List<byte> pending = new List<byte>();
		private long left = -1;
		private long inChunk;

		public bool Done;
		public bool Bad;

		public Body(Head head)
		{
			chunked = (head.Value("transfer-encoding") ?? "").ToLowerInvariant().Contains("chunked");
			string length = head.Value("content-length") ?? "";
			if (Regex.IsMatch(length, "^[0-9]{1,15}\\z", RegexOptions.CultureInvariant)) { left = long.Parse(length, CultureInfo.InvariantCulture); }
			Done = head.Status == 204 || head.Status == 304 || (!chunked && left == 0);
		}

		/// <summary>Only the end of the connection ends this body, so a close is no fault.</summary>
		public bool ToClose { get { return !chunked && left < 0; } }

		public bool Full { get { return content.Length >= MaxBody; } }

		public bool Open { get { return !Done && !Bad && !Full; } }

		public void Feed(byte[] data, int offset, int count)
		{
			if (!chunked)
			{
				if (left >= 0)
				{
					count = (int)Math.Min(count, left);
					left -= count;
					Done = left == 0;
				}
				Add(data, offset, count);
				return;
			}
			for (int i = 0; i < count; i++) { pending.Add(data[offset + i]); }
			Chunks();
		}

		private void Add(byte[] data, int offset, int count)
		{
			content.Write(data, offset, (int)Math.Min(count, MaxBody - content.Length));
		}

		private void Chunks()
		{
			while (Open)
			{
				if (inChunk > 2)
				{
					int count = (int)Math.Min(pending.Count, inChunk - 2);
					if (count == 0) { return; }
					Add(pending.GetRange(0, count).ToArray(), 0, count);
					pending.RemoveRange(0, count);
					inChunk -= count;
					continue;
				}
				if (inChunk > 0)
				{
					// The line end after a chunk.
					if (pending.Count < inChunk) { return; }
					pending.RemoveRange(0, (int)inChunk);
					inChunk = 0;
				}
				int end = pending.IndexOf((byte)'\n');
				if (end < 0)
				{
					Bad = pending.Count > 1024;
					return;
				}
				string size = Encoding.ASCII.GetString(pending.GetRange(0, end).ToArray()).Split(';')[0].Trim(' ', '\t', '\r', '\n', '\f', '\v');
				pending.RemoveRange(0, end + 1);
				if (!Regex.IsMatch(size, "^[0-9A-Fa-f]{1,8}\\z", RegexOptions.CultureInvariant))
				{
					Bad = true;
					return;
				}
				long number = long.Parse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
				if (number == 0)
				{
					Done = true;
					return;
				}
				inChunk = number + 2;
			}
		}

		public Dictionary<string, object> Data(bool truncated)
		{
			byte[] bytes = content.ToArray();
			string text = Encoding.UTF8.GetString(bytes);
			Match title = Regex.Match(text, "<title[^>]{0,200}>([^<]{0,400})", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["length"] = (long)bytes.Length;
			result["sha256"] = CertReader.Sha256(bytes, 0, bytes.Length);
			result["snippet"] = Text.Bound(text, MaxSnippet);
			result["title"] = title.Success ? Text.Bound(string.Join(" ", title.Groups[1].Value.Split((char[])null, StringSplitOptions.RemoveEmptyEntries)), 120) : null;
			result["truncated"] = truncated;
			return result;
		}
	}

	public static class HttpProbe
	{
		public const string UserAgent = "edefter.ready/" + Observer.Version;
		private const int MaxHead = 32768;
		private static readonly string[] Wanted = new string[] {
			"server", "via", "location", "content-type", "content-length", "date", "age", "proxy-authenticate", "www-authenticate",
			"x-squid-error", "x-cache", "x-frame-options", "retry-after", "proxy-agent" };
		private static readonly Regex Date = new Regex("^(?:[A-Za-z]{3,9}, ?)?([0-9]{1,2})[ -]([A-Za-z]{3})[ -]([0-9]{2}|[0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)\\z", RegexOptions.CultureInvariant);
		private const string Months = "jan feb mar apr may jun jul aug sep oct nov dec";

		/// <summary>The request head. host and target are checked before: no line end ever gets in.</summary>
		public static byte[] Request(string method, string target, string host, int port, int defaultPort)
		{
			string where = host.IndexOf(':') >= 0 ? "[" + host + "]" : host;
			if (port != defaultPort) { where += ":" + port.ToString(CultureInfo.InvariantCulture); }
			// A tunnel is wanted open; everything else may close behind itself.
			string rest = method == "CONNECT" ? "Proxy-Connection: keep-alive\r\n" : "Accept: */*\r\nConnection: close\r\n";
			string text = method + " " + target + " HTTP/1.1\r\nHost: " + where + "\r\nUser-Agent: " + UserAgent + "\r\n" + rest + "\r\n";
			return Encoding.ASCII.GetBytes(text);
		}

		/// <summary>Whether a path may stand in a request: what the options should hold, asked again where it counts.</summary>
		public static bool Safe(string text)
		{
			if (string.IsNullOrEmpty(text) || text.Length > 2000) { return false; }
			foreach (char c in text) { if (c <= ' ' || c > '~') { return false; } }
			return true;
		}

		/// <summary>
		/// Sends message and reads one answer. tunnel: a 2xx answer ends with its head. tee is the socket's stream below stream (or
		/// the same). Never raises for a fault of the network.
		/// </summary>
		public static Dictionary<string, object> Exchange(Stream stream, TeeStream tee, byte[] message, double timeoutMs, Deadline deadline, bool tunnel)
		{
			double start = deadline.ElapsedMs;
			Dictionary<string, object> error = null;
			Head head = null;
			Body body = null;
			bool truncated = false;
			tee.Allow(timeoutMs);
			try
			{
				stream.Write(message, 0, message.Length);
				stream.Flush();
				byte[] raw = new byte[MaxHead + 8192];
				int have = 0;
				int looked = 0;
				while (head == null)
				{
					int position = Head.EndOf(raw, Math.Max(0, looked - 3), have);
					if (position < 0)
					{
						looked = have;
						if (have > MaxHead) { throw new HttpMalformed("a head of more than 32 KiB"); }
						bool http = have < 5 || Encoding.ASCII.GetString(raw, 0, 5) == "HTTP/";
						if (!http) { throw new HttpMalformed("no status line"); }
						int got = stream.Read(raw, have, 8192);
						if (got == 0)
						{
							if (have > 0 && have < 5) { throw new HttpMalformed("no HTTP"); }
							throw new EndOfStreamException("closed before a whole head");
						}
						have += got;
						continue;
					}
					head = Head.Parse(Encoding.GetEncoding(28591).GetString(raw, 0, position).TrimEnd('\r', '\n'));
					Array.Copy(raw, position, raw, 0, have - position);
					have -= position;
					looked = 0;
					if (head.Status >= 100 && head.Status < 200 && head.Status != 101) { head = null; }
				}
				if (!tunnel || head.Status < 200 || head.Status >= 300)
				{
					body = new Body(head);
					body.Feed(raw, 0, have);
					while (body.Open)
					{
						int got = stream.Read(raw, 0, 16384);
						if (got == 0)
						{
							if (!body.ToClose)
							{
								truncated = true;
								error = Fault.Make("http", "eof", null, "closed within the body");
							}
							break;
						}
						body.Feed(raw, 0, got);
					}
					truncated = truncated || body.Bad || (body.Full && !body.Done);
				}
			}
			catch (HttpMalformed reason) { error = Fault.Make("http", "malformed", null, reason.Message); }
			catch (EndOfStreamException reason) { error = Fault.Make("http", "eof", null, reason.Message); }
			// Any kind: what a TLS layer makes of a broken connection differs by platform; the socket's stream knows what happened.
			catch (Exception reason) { error = Broken(tee, reason); truncated = true; }
			// A TLS layer that meets a plain close in mid-stream complains; what was to run to the close is whole all the same.
			if (error != null && (string)error["code"] == "eof" && body != null && body.ToClose) { error = null; truncated = false; }
			Dictionary<string, object> data = Failed(error);
			data["elapsed_ms"] = Text.Ms(deadline.ElapsedMs - start);
			if (head != null)
			{
				data["status"] = (long)head.Status;
				data["version"] = head.Version;
				data["reason"] = Text.Bound(head.Reason, 80);
				Dictionary<string, object> headers = (Dictionary<string, object>)data["headers"];
				foreach (string name in Wanted) { if (head.Value(name) != null) { headers[name] = Text.Bound(head.Value(name), 300); } }
				data["date"] = ParseDate(head.Value("date"));
			}
			data["body"] = body == null ? null : body.Data(truncated);
			return data;
		}

		/// <summary>HTTP of docs/observation-endpoints.md when nothing came.</summary>
		public static Dictionary<string, object> Failed(Dictionary<string, object> error)
		{
			Dictionary<string, object> data = new Dictionary<string, object>();
			data["error"] = error;
			data["elapsed_ms"] = null;
			data["status"] = null;
			data["version"] = null;
			data["reason"] = null;
			data["headers"] = new Dictionary<string, object>();
			data["date"] = null;
			data["body"] = null;
			return data;
		}

		private static Dictionary<string, object> Broken(TeeStream tee, Exception reason)
		{
			string code = tee.Failure == null ? "tls" : tee.Failure == "aborted" ? "reset" : tee.Failure;
			return Fault.Make("http", code, tee.Native, tee.Why ?? reason.GetType().Name + ": " + reason.Message);
		}

		/// <summary>The Date header (RFC 9110 section 5.6.7, without asctime) as ISO; null when it is none.</summary>
		public static string ParseDate(string text)
		{
			Match match = Date.Match((text ?? "").Trim(' ', '\t'));
			if (!match.Success) { return null; }
			int month = Months.IndexOf(match.Groups[2].Value.ToLowerInvariant(), StringComparison.Ordinal);
			if (month < 0 || month % 4 != 0) { return null; }
			int year = int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture);
			if (match.Groups[3].Length == 2) { year += year < 70 ? 2000 : 1900; }
			try
			{
				return Text.Iso(new DateTime(year, month / 4 + 1, Number(match, 1), Number(match, 4), Number(match, 5), Number(match, 6), DateTimeKind.Utc));
			}
			catch (ArgumentOutOfRangeException) { return null; }
		}

		private static int Number(Match match, int group)
		{
			return int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
		}
	}
}
