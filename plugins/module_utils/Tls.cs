// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ansible_collections.edefter.ready.plugins.module_utils.Certs;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Tcp;

// One TLS handshake, read byte by byte: what came back, the alert, the chain as sent, and what this machine thinks of it.
// Twin of tls.py. A certificate is accepted for reading only: nothing that it would have to protect is ever sent.
namespace ansible_collections.edefter.ready.plugins.module_utils.Tls
{
	/// <summary>What the plaintext records of the server's first bytes say (RFC 5246 section 6.2, RFC 8446 section 5.1).</summary>
	public sealed class Seen
	{
		public bool NotTls;
		public Dictionary<string, object> Alert;
		public int ServerVersion = -1;
		public List<byte[]> Certificates = new List<byte[]>();

		/// <summary>Reads the records as far as they are in the clear. Never raises.</summary>
		public static Seen Scan(byte[] first)
		{
			Seen result = new Seen();
			if (first.Length == 0) { return result; }
			if (first[0] < 20 || first[0] > 24 || (first.Length > 1 && first[1] != 3))
			{
				result.NotTls = true;
				return result;
			}
			MemoryStream handshake = new MemoryStream();
			bool clear = true;
			int pos = 0;
			while (pos + 5 <= first.Length)
			{
				int kind = first[pos];
				int length = (first[pos + 3] << 8) | first[pos + 4];
				if (kind < 20 || kind > 24 || first[pos + 1] != 3 || length > 18432)
				{
					result.NotTls = pos == 0;
					break;
				}
				int have = Math.Min(length, first.Length - pos - 5);
				// An alert in the clear has two bytes; an encrypted one is longer.
				if (kind == 21 && length == 2 && have == 2 && result.Alert == null)
				{
					result.Alert = new Dictionary<string, object>();
					result.Alert["level"] = (long)first[pos + 5];
					result.Alert["description"] = (long)first[pos + 6];
				}
				else if (kind == 22 && clear)
				{
					if (result.ServerVersion < 0 && have >= 6 && first[pos + 5] == 2) { result.ServerVersion = (first[pos + 9] << 8) | first[pos + 10]; }
					handshake.Write(first, pos + 5, have);
				}
				else if (kind == 20 || kind == 23) { clear = false; }
				pos += 5 + length;
			}
			Chain(handshake.ToArray(), result.Certificates);
			return result;
		}

		/// <summary>The Certificate message of TLS 1.2 (RFC 5246 section 7.4.2); in TLS 1.3 it is encrypted.</summary>
		private static void Chain(byte[] messages, List<byte[]> certificates)
		{
			int pos = 0;
			while (pos + 4 <= messages.Length)
			{
				int end = pos + 4 + Three(messages, pos + 1);
				if (messages[pos] == 11 && end <= messages.Length && pos + 7 <= end)
				{
					int at = pos + 7;
					while (at + 3 <= end && certificates.Count < CertReader.MaxChain)
					{
						int length = Three(messages, at);
						if (at + 3 + length > end) { return; }
						byte[] one = new byte[length];
						Array.Copy(messages, at + 3, one, 0, length);
						certificates.Add(one);
						at += 3 + length;
					}
					return;
				}
				pos = end;
			}
		}

		private static int Three(byte[] data, int at)
		{
			return (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
		}

		/// <summary>The code of a failed handshake: what the server's bytes prove goes before what the platform said.</summary>
		public string ErrorCode(string failure)
		{
			if (NotTls) { return "not_tls"; }
			long alert = Alert == null ? 0L : (long)Alert["description"];
			// protocol_version (RFC 8446 section 6.2) and inappropriate_fallback (RFC 7507).
			if (alert == 70L || alert == 86L) { return "version"; }
			if (alert != 0L) { return "alert"; }
			if (ServerVersion >= 0 && ServerVersion < 0x0303) { return "version"; }
			if (failure == "aborted") { return "reset"; }
			return failure == "timeout" || failure == "reset" || failure == "eof" || failure == "deadline" ? failure : "handshake";
		}
	}

	public sealed class TlsProbe
	{
		// Numbers, as the names came with later versions: SslProtocols.Tls12 and Tls13.
		private const int Tls12 = 0xC00;
		private const int Tls13 = 0x3000;
		private const int FirstBytes = 16;
		/// <summary>Silence after the ClientHello for this part of the timeout counts as a stall for the second question (another SNI).</summary>
		private const double StallAt = 0.4;

		private static bool newestRefused;

		private readonly string host;
		private readonly Deadline deadline;
		private readonly double timeoutMs;
		private readonly List<byte[]> extra = new List<byte[]>();
		private byte[] leaf;
		private List<object> status;

		public Dictionary<string, object> Data;
		/// <summary>null after an error.</summary>
		public SslStream Stream;
		public TeeStream Tee;
		private bool refusedBySettings;

		private TlsProbe(string host, double timeoutMs, Deadline deadline)
		{
			this.host = host;
			this.timeoutMs = timeoutMs;
			this.deadline = deadline;
		}

		/// <summary>
		/// TLS with host as SNI. again makes another connection to the same place (used once, when this Windows turns out not to know
		/// TLS 1.3). onStall is called when nothing has come for a while. verify false: for a retry whose trust nobody asks for.
		/// </summary>
		public static TlsProbe Run(Socket socket, string host, double timeoutMs, Deadline deadline, Func<Socket> again, Action onStall, bool verify)
		{
			bool newest = KnowsTls13() && !newestRefused;
			TlsProbe probe = new TlsProbe(host, timeoutMs, deadline);
			probe.Handshake(socket, newest ? Tls12 | Tls13 : Tls12, onStall, verify);
			if (newest && probe.refusedBySettings)
			{
				newestRefused = true;
				Socket other = again == null ? null : again();
				if (other != null)
				{
					probe = new TlsProbe(host, timeoutMs, deadline);
					probe.Handshake(other, Tls12, onStall, verify);
				}
			}
			return probe;
		}

		/// <summary>Windows 11 and Server 2022 (build 20348) on; older ones refuse the whole handshake when it is asked for.</summary>
		private static bool KnowsTls13()
		{
			if (Environment.OSVersion.Platform != PlatformID.Win32NT) { return false; }
			int build;
			return int.TryParse(Reg.Str(@"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "CurrentBuildNumber"), out build) && build >= 20348;
		}

		public static Dictionary<string, object> Empty(string sni)
		{
			Dictionary<string, object> data = new Dictionary<string, object>();
			data["error"] = null;
			data["elapsed_ms"] = null;
			data["sni"] = sni;
			data["version"] = null;
			data["cipher"] = null;
			data["offered"] = new List<object>();
			data["alert"] = null;
			data["bytes_received"] = 0L;
			data["first_bytes"] = "";
			data["name_match"] = null;
			data["trusted"] = null;
			data["chain_status"] = new List<object>();
			data["chain"] = new List<object>();
			return data;
		}

		private void Handshake(Socket socket, int protocols, Action onStall, bool verify)
		{
			IPAddress address;
			bool literal = IPAddress.TryParse(host, out address);
			Data = Empty(literal ? null : host.TrimEnd('.'));
			List<object> offered = new List<object> { "TLSv1.2" };
			if ((protocols & Tls13) != 0) { offered.Add("TLSv1.3"); }
			Data["offered"] = offered;
			Tee = new TeeStream(socket, deadline);
			double start = deadline.ElapsedMs;
			Tee.Allow(timeoutMs);
			if (onStall != null)
			{
				Tee.OnStall = onStall;
				Tee.StallAt = start + StallAt * deadline.ClampMs(timeoutMs);
			}
			SslStream stream = new SslStream(Tee, false, Judge);
			Exception failed = null;
			try { stream.AuthenticateAsClient(host.TrimEnd('.'), null, (SslProtocols)protocols, false); }
			catch (AuthenticationException error) { failed = error; }
			catch (IOException error) { failed = error; }
			catch (InvalidOperationException error) { failed = error; }
			catch (ArgumentException error) { failed = error; }
			catch (NotSupportedException error) { failed = error; }
			catch (Win32Exception error) { failed = error; }
			double ended = deadline.ElapsedMs;
			Tee.OnStall = null;
			string failure = Tee.Failure;
			if (failed != null) { Tee.Drain(); }
			// Windows may look for issuers in the network while it builds the chain; that is no part of the handshake.
			Data["elapsed_ms"] = Text.Ms((failed == null ? Tee.LastAt : ended) - start);
			byte[] first = Tee.First();
			Seen seen = Seen.Scan(first);
			Data["alert"] = seen.Alert;
			Data["bytes_received"] = Tee.Received;
			Data["first_bytes"] = Text.Hex(first, FirstBytes);
			Describe(seen, verify);
			if (failed == null)
			{
				Data["version"] = Version((int)stream.SslProtocol);
				Data["cipher"] = stream.CipherAlgorithm.ToString() + stream.CipherStrength.ToString(System.Globalization.CultureInfo.InvariantCulture);
				Stream = stream;
				return;
			}
			Data["error"] = Error(seen, failed, failure);
			refusedBySettings = (protocols & Tls13) != 0 && Tee.Received == 0 && Tee.Failure == null;
			try { stream.Dispose(); }
			catch (IOException) { Tee.Dispose(); }
			catch (InvalidOperationException) { Tee.Dispose(); }
		}

		private Dictionary<string, object> Error(Seen seen, Exception failed, string failure)
		{
			Exception inner = failed;
			while (inner.InnerException != null) { inner = inner.InnerException; }
			Win32Exception native = inner as Win32Exception;
			// Closed in the middle of a handshake is told in many ways by the platform; the socket knows.
			string code = seen.ErrorCode(failure);
			long? number = Tee.Native;
			if (number == null && native != null) { number = native.NativeErrorCode; }
			return Fault.Make("tls", code, number, inner.GetType().Name + ": " + inner.Message);
		}

		/// <summary>SslStream asks here whether it may go on. It may, for reading; what the platform thinks of the chain is noted.</summary>
		private bool Judge(object sender, X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
		{
			if (certificate == null) { return true; }
			leaf = certificate.GetRawCertData();
			SortedDictionary<string, bool> codes = new SortedDictionary<string, bool>(StringComparer.Ordinal);
			if (chain != null)
			{
				foreach (X509ChainStatus item in chain.ChainStatus) { foreach (string code in Codes((int)item.Status)) { codes[code] = true; } }
				foreach (X509Certificate2 item in chain.ChainPolicy.ExtraStore) { extra.Add(item.RawData); }
			}
			bool broken = (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0;
			if (!broken) { codes.Clear(); }
			else if (codes.Count == 0) { codes["other"] = true; }
			status = new List<object>();
			foreach (string code in codes.Keys) { status.Add(code); }
			return true;
		}

		/// <summary>X509ChainStatusFlags by their numbers (those above 0x20000 came with later versions) in the words of both twins.</summary>
		public static List<string> Codes(int flags)
		{
			List<string> result = new List<string>();
			int known = 0;
			for (int i = 0; i < Flags.Length; i++)
			{
				if ((flags & Flags[i]) == 0) { continue; }
				known |= Flags[i];
				if (!result.Contains(Words[i])) { result.Add(Words[i]); }
			}
			if ((flags & ~known) != 0) { result.Add("other"); }
			return result;
		}

		private static readonly int[] Flags = new int[] {
			0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x1000000, 0x100000, 0x4000000 };
		private static readonly string[] Words = new string[] {
			"not_time_valid", "not_time_valid", "revoked", "not_signature_valid", "not_valid_for_usage", "untrusted_root", "revocation_unknown", "cyclic",
			"malformed", "other", "invalid_basic_constraints", "invalid_name_constraints", "invalid_name_constraints", "invalid_name_constraints",
			"invalid_name_constraints", "invalid_name_constraints", "partial_chain", "revocation_unknown", "weak_signature", "explicit_distrust" };

		private void Describe(Seen seen, bool verify)
		{
			List<byte[]> chain = seen.Certificates;
			if (chain.Count == 0 && leaf != null)
			{
				chain = new List<byte[]> { leaf };
				foreach (byte[] item in extra) { if (chain.Count < CertReader.MaxChain && !Known(chain, item)) { chain.Add(item); } }
			}
			List<object> read = new List<object>();
			foreach (byte[] item in chain) { read.Add(CertReader.Read(item)); }
			Data["chain"] = read;
			if (read.Count > 0) { Data["name_match"] = CertReader.NameMatches((Dictionary<string, object>)read[0], host); }
			if (!verify || status == null) { return; }
			if (status.Contains("partial_chain") && read.Count > 0 && SelfSigned(read[read.Count - 1]))
			{
				// The end of the chain is here and nobody trusts it; libraries differ in what they call that.
				status.Remove("partial_chain");
				if (!status.Contains("untrusted_root")) { status.Add("untrusted_root"); }
				status.Sort(Ordinal);
			}
			if (status.Count > 0 && !status.Contains("not_time_valid") && OutOfDates(read))
			{
				status.Add("not_time_valid");
				status.Sort(Ordinal);
			}
			Data["trusted"] = status.Count == 0;
			Data["chain_status"] = status;
		}

		private static bool Known(List<byte[]> chain, byte[] item)
		{
			foreach (byte[] other in chain) { if (Convert.ToBase64String(other) == Convert.ToBase64String(item)) { return true; } }
			return false;
		}

		private static int Ordinal(object a, object b)
		{
			return string.CompareOrdinal((string)a, (string)b);
		}

		private static bool SelfSigned(object cert)
		{
			Dictionary<string, object> fields = (Dictionary<string, object>)cert;
			return fields.ContainsKey("self_signed") && true.Equals(fields["self_signed"]);
		}

		/// <summary>Whether a certificate of the chain is out of its dates by this machine's clock.</summary>
		private static bool OutOfDates(List<object> chain)
		{
			string now = Text.Iso(DateTime.UtcNow);
			foreach (object item in chain)
			{
				Dictionary<string, object> cert = (Dictionary<string, object>)item;
				if (cert.ContainsKey("malformed")) { continue; }
				if (string.CompareOrdinal((string)cert["not_before"], now) > 0 || string.CompareOrdinal(now, (string)cert["not_after"]) > 0) { return true; }
			}
			return false;
		}

		private static string Version(int protocol)
		{
			if ((protocol & Tls13) != 0) { return "TLSv1.3"; }
			if ((protocol & Tls12) != 0) { return "TLSv1.2"; }
			return (protocol & 0x300) != 0 ? "TLSv1.1" : (protocol & 0xC0) != 0 ? "TLSv1" : "SSLv3";
		}
	}
}
