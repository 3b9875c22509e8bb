// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

// X.509 certificates read from DER (RFC 5280, X.690), bounded. Twin of certs.py. X509Certificate2 writes names in the words of the
// platform and the language; both twins must report one certificate alike. Reading only: nothing is verified here.
namespace ansible_collections.edefter.ready.plugins.module_utils.Certs
{
	internal sealed class DerException : Exception
	{
		public DerException(string why) : base(why) { }
	}

	/// <summary>One element: its tag byte and where it and its content lie.</summary>
	internal struct Tlv
	{
		public int Tag;
		public int Start;
		public int Body;
		public int End;

		public int Length { get { return End - Body; } }
	}

	internal static class Der
	{
		public static Tlv Read(byte[] data, int pos, int end)
		{
			if (pos + 2 > end) { throw new DerException("an element beyond the end"); }
			Tlv item = new Tlv();
			item.Tag = data[pos];
			item.Start = pos;
			if ((item.Tag & 0x1F) == 0x1F) { throw new DerException("a tag of several bytes"); }
			uint length = data[pos + 1];
			int body = pos + 2;
			if (length >= 0x80)
			{
				int count = (int)(length & 0x7F);
				if (count < 1 || count > 4 || body + count > end) { throw new DerException("a length of unknown form"); }
				length = 0;
				for (int i = 0; i < count; i++) { length = (length << 8) | data[body + i]; }
				body += count;
			}
			if (length > (uint)(end - body)) { throw new DerException("an element longer than what holds it"); }
			item.Body = body;
			item.End = body + (int)length;
			return item;
		}

		public static List<Tlv> Children(byte[] data, Tlv parent, int limit)
		{
			List<Tlv> result = new List<Tlv>();
			int pos = parent.Body;
			while (pos < parent.End)
			{
				if (result.Count >= limit) { throw new DerException("too many elements"); }
				Tlv item = Read(data, pos, parent.End);
				result.Add(item);
				pos = item.End;
			}
			return result;
		}

		public static Tlv Expect(Tlv item, int tag, string what)
		{
			if (item.Tag != tag) { throw new DerException(what + ": tag 0x" + item.Tag.ToString("x2", CultureInfo.InvariantCulture)); }
			return item;
		}

		public static Tlv At(List<Tlv> items, int index)
		{
			if (index >= items.Count) { throw new DerException("an element is missing"); }
			return items[index];
		}

		public static string Oid(byte[] data, Tlv item)
		{
			Expect(item, 0x06, "object identifier");
			if (item.Length < 1 || item.Length > 64 || (data[item.End - 1] & 0x80) != 0) { throw new DerException("an object identifier without an end"); }
			StringBuilder result = new StringBuilder();
			long value = 0;
			for (int i = item.Body; i < item.End; i++)
			{
				value = value * 128 + (data[i] & 0x7F);
				if (value > 0x7FFFFFFF) { throw new DerException("an object identifier too large"); }
				if ((data[i] & 0x80) != 0) { continue; }
				if (result.Length == 0)
				{
					long first = Math.Min(value / 40, 2);
					result.Append(first.ToString(CultureInfo.InvariantCulture)).Append('.').Append((value - 40 * first).ToString(CultureInfo.InvariantCulture));
				}
				else { result.Append('.').Append(value.ToString(CultureInfo.InvariantCulture)); }
				value = 0;
			}
			return result.ToString();
		}

		public static byte[] Slice(byte[] data, int from, int to, int max)
		{
			byte[] result = new byte[Math.Min(to - from, max)];
			Array.Copy(data, from, result, 0, result.Length);
			return result;
		}

		public static string Latin(byte[] raw)
		{
			StringBuilder result = new StringBuilder(raw.Length);
			foreach (byte b in raw) { result.Append((char)b); }
			return result.ToString();
		}
	}

	public static class CertReader
	{
		public const int MaxChain = 8;
		private const int MaxCert = 65536;
		private const int MaxSan = 64;

		private static readonly Dictionary<string, string> NameKeys = Pairs(
			"2.5.4.3=CN 2.5.4.4=SN 2.5.4.5=SERIALNUMBER 2.5.4.6=C 2.5.4.7=L 2.5.4.8=ST 2.5.4.9=STREET 2.5.4.10=O 2.5.4.11=OU 2.5.4.12=T 2.5.4.42=GN "
			+ "2.5.4.97=ORGANIZATIONID 0.9.2342.19200300.100.1.25=DC 0.9.2342.19200300.100.1.1=UID 1.2.840.113549.1.9.1=E");
		private static readonly Dictionary<string, string> Signatures = Pairs(
			"1.2.840.113549.1.1.4=md5WithRSAEncryption 1.2.840.113549.1.1.5=sha1WithRSAEncryption 1.2.840.113549.1.1.10=rsassaPss "
			+ "1.2.840.113549.1.1.11=sha256WithRSAEncryption 1.2.840.113549.1.1.12=sha384WithRSAEncryption 1.2.840.113549.1.1.13=sha512WithRSAEncryption "
			+ "1.2.840.10045.4.1=ecdsa-with-SHA1 1.2.840.10045.4.3.2=ecdsa-with-SHA256 1.2.840.10045.4.3.3=ecdsa-with-SHA384 "
			+ "1.2.840.10045.4.3.4=ecdsa-with-SHA512 1.3.101.112=ed25519 1.3.101.113=ed448");
		private static readonly Dictionary<string, string> KeyTypes = Pairs(
			"1.2.840.113549.1.1.1=rsa 1.2.840.113549.1.1.10=rsa 1.2.840.10045.2.1=ec 1.2.840.10040.4.1=dsa 1.3.101.112=ed25519 1.3.101.113=ed448");
		private static readonly Dictionary<string, string> Curves = Pairs(
			"1.2.840.10045.3.1.1=192 1.3.132.0.33=224 1.2.840.10045.3.1.7=256 1.3.132.0.10=256 1.3.132.0.34=384 1.3.132.0.35=521");

		/// <summary>CERT of docs/observation-endpoints.md; {"malformed", "sha256"} when it cannot be read. Never raises.</summary>
		public static Dictionary<string, object> Read(byte[] data)
		{
			try
			{
				if (data.Length > MaxCert) { throw new DerException("a certificate of more than 64 KiB"); }
				return Fields(data);
			}
			catch (DerException error) { return Malformed(data, error.Message); }
			catch (IndexOutOfRangeException) { return Malformed(data, "an element is missing"); }
			catch (ArgumentException) { return Malformed(data, "an element is missing"); }
		}

		private static Dictionary<string, object> Malformed(byte[] data, string why)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["malformed"] = Text.Bound(why, 120);
			result["sha256"] = Sha256(data, 0, data.Length);
			return result;
		}

		public static string Sha256(byte[] data, int offset, int count)
		{
			// The provider, not SHA256Managed: that one refuses to work under the FIPS policy.
			using (SHA256CryptoServiceProvider hash = new SHA256CryptoServiceProvider()) { return Text.Hex(hash.ComputeHash(data, offset, count), 32); }
		}

		private static Dictionary<string, object> Fields(byte[] data)
		{
			List<Tlv> outer = Der.Children(data, Der.Expect(Der.Read(data, 0, data.Length), 0x30, "certificate"), 4);
			if (outer.Count != 3) { throw new DerException("a certificate without its three parts"); }
			List<Tlv> fields = Der.Children(data, Der.Expect(outer[0], 0x30, "tbsCertificate"), 16);
			if (fields.Count > 0 && fields[0].Tag == 0xA0) { fields.RemoveAt(0); }
			if (fields.Count < 6) { throw new DerException("a certificate that lacks fields"); }
			Tlv serial = Der.Expect(fields[0], 0x02, "serial number");
			Tlv issuer = fields[2];
			List<Tlv> dates = Der.Children(data, Der.Expect(fields[3], 0x30, "validity"), 4);
			if (dates.Count != 2) { throw new DerException("a validity without two dates"); }
			Tlv subject = fields[4];
			Tlv spki = Der.Expect(fields[5], 0x30, "public key");
			string keyType;
			object keyBits;
			Key(data, spki, out keyType, out keyBits);
			List<object> san = new List<object>();
			object isCa = null;
			for (int i = 6; i < fields.Count; i++) { if (fields[i].Tag == 0xA3) { Extensions(data, fields[i], san, ref isCa); } }
			string algorithm = Der.Oid(data, Der.At(Der.Children(data, Der.Expect(outer[1], 0x30, "signature algorithm"), 4), 0));
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["subject"] = NameText(data, subject);
			result["issuer"] = NameText(data, issuer);
			result["serial"] = Text.Hex(Der.Slice(data, serial.Body, serial.End, 40), 40);
			result["not_before"] = Time(data, dates[0]);
			result["not_after"] = Time(data, dates[1]);
			result["sha256"] = Sha256(data, 0, data.Length);
			result["spki_sha256"] = Sha256(data, spki.Start, spki.End - spki.Start);
			result["san"] = san;
			result["self_signed"] = Same(data, subject, issuer);
			result["is_ca"] = isCa;
			result["signature_algorithm"] = Signatures.ContainsKey(algorithm) ? Signatures[algorithm] : algorithm;
			result["key_type"] = keyType;
			result["key_bits"] = keyBits;
			return result;
		}

		private static bool Same(byte[] data, Tlv a, Tlv b)
		{
			if (a.End - a.Start != b.End - b.Start) { return false; }
			for (int i = 0; i < a.End - a.Start; i++) { if (data[a.Start + i] != data[b.Start + i]) { return false; } }
			return true;
		}

		private static string NameText(byte[] data, Tlv item)
		{
			List<string> parts = new List<string>();
			foreach (Tlv rdn in Der.Children(data, Der.Expect(item, 0x30, "name"), 64))
			{
				List<string> pairs = new List<string>();
				foreach (Tlv attribute in Der.Children(data, Der.Expect(rdn, 0x31, "name part"), 16))
				{
					List<Tlv> kinds = Der.Children(data, Der.Expect(attribute, 0x30, "attribute"), 4);
					if (kinds.Count != 2) { throw new DerException("an attribute without a value"); }
					string key = Der.Oid(data, kinds[0]);
					pairs.Add((NameKeys.ContainsKey(key) ? NameKeys[key] : key) + "=" + Value(data, kinds[1]));
				}
				parts.Add(string.Join("+", pairs.ToArray()));
			}
			return Text.Bound(string.Join(", ", parts.ToArray()), 1000);
		}

		private static string Value(byte[] data, Tlv item)
		{
			byte[] raw = Der.Slice(data, item.Body, item.End, 1024);
			string text;
			if (item.Tag == 0x1E) { text = Encoding.BigEndianUnicode.GetString(raw, 0, raw.Length / 2 * 2); }
			else if (item.Tag == 0x0C) { text = Encoding.UTF8.GetString(raw); }
			else if (item.Tag == 0x13 || item.Tag == 0x16 || item.Tag == 0x14 || item.Tag == 0x12 || item.Tag == 0x1A) { text = Der.Latin(raw); }
			else { return "#" + Text.Hex(raw, 64); }
			StringBuilder result = new StringBuilder();
			foreach (char c in Text.Bound(text, 200))
			{
				if (",+\"\\<>;=".IndexOf(c) >= 0 || (result.Length == 0 && (c == '#' || c == ' '))) { result.Append('\\'); }
				result.Append(c);
			}
			return result.ToString();
		}

		private static string Time(byte[] data, Tlv item)
		{
			string text = Der.Latin(Der.Slice(data, item.Body, item.End, 40));
			DateTime moment;
			string[] forms = item.Tag == 0x17 ? new string[] { "yyMMddHHmmss'Z'", "yyMMddHHmm'Z'" }
				: item.Tag == 0x18 ? new string[] { "yyyyMMddHHmmss'Z'" } : new string[0];
			int dot = item.Tag == 0x18 ? text.IndexOf('.') : -1;
			if (dot > 0 && text.EndsWith("Z", StringComparison.Ordinal)) { text = text.Substring(0, dot) + "Z"; }
			// RFC 5280 section 4.1.2.5.1: two digits from 50 on are of the last century; .NET's invariant culture breaks at 30 or 50.
			if (item.Tag == 0x17 && text.Length > 2 && char.IsDigit(text[0]))
			{
				text = (text[0] >= '5' ? "19" : "20") + text;
				forms = new string[] { "yyyyMMddHHmmss'Z'", "yyyyMMddHHmm'Z'" };
			}
			if (!DateTime.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment))
			{
				throw new DerException("a time of unknown form");
			}
			return Text.Iso(moment);
		}

		private static void Key(byte[] data, Tlv spki, out string type, out object bits)
		{
			List<Tlv> parts = Der.Children(data, spki, 4);
			List<Tlv> algorithm = Der.Children(data, Der.Expect(Der.At(parts, 0), 0x30, "algorithm"), 4);
			string key = Der.Oid(data, Der.At(algorithm, 0));
			type = KeyTypes.ContainsKey(key) ? KeyTypes[key] : key;
			bits = null;
			if (type == "rsa" && parts.Count > 1 && parts[1].Tag == 0x03)
			{
				Tlv modulus = Der.At(Der.Children(data, Der.Read(data, parts[1].Body + 1, parts[1].End), 4), 0);
				int at = modulus.Body;
				while (at < modulus.End && data[at] == 0) { at++; }
				long count = 8L * (modulus.End - at);
				for (int mask = 0x80; at < modulus.End && mask > 0 && (data[at] & mask) == 0; mask >>= 1) { count--; }
				bits = count;
			}
			else if (type == "ec" && algorithm.Count > 1 && algorithm[1].Tag == 0x06)
			{
				string curve = Der.Oid(data, algorithm[1]);
				if (Curves.ContainsKey(curve)) { bits = long.Parse(Curves[curve], CultureInfo.InvariantCulture); }
			}
			else if (type == "ed25519") { bits = 256L; }
			else if (type == "ed448") { bits = 456L; }
		}

		private static void Extensions(byte[] data, Tlv item, List<object> san, ref object isCa)
		{
			foreach (Tlv extension in Der.Children(data, Der.Read(data, item.Body, item.End), 128))
			{
				List<Tlv> parts = Der.Children(data, extension, 4);
				string key = Der.Oid(data, Der.At(parts, 0));
				Tlv value = Der.Expect(parts[parts.Count - 1], 0x04, "extension");
				if (key == "2.5.29.17")
				{
					foreach (Tlv entry in Der.Children(data, Der.Read(data, value.Body, value.End), 2000))
					{
						if (san.Count >= MaxSan) { break; }
						if (entry.Tag == 0x82) { san.Add("dns:" + Text.Bound(Der.Latin(Der.Slice(data, entry.Body, entry.End, 255)), 255)); }
						else if (entry.Tag == 0x87 && (entry.Length == 4 || entry.Length == 16))
						{
							san.Add("ip:" + new IPAddress(Der.Slice(data, entry.Body, entry.End, 16)).ToString());
						}
					}
				}
				else if (key == "2.5.29.19")
				{
					List<Tlv> inner = Der.Children(data, Der.Read(data, value.Body, value.End), 4);
					isCa = inner.Count > 0 && inner[0].Tag == 0x01 && !(inner[0].Length == 1 && data[inner[0].Body] == 0);
				}
			}
		}

		/// <summary>RFC 6125 as browsers do it: SAN only when there is one, a wildcard stands for the whole leftmost label. null: unreadable.</summary>
		public static object NameMatches(Dictionary<string, object> cert, string host)
		{
			if (cert.ContainsKey("malformed")) { return null; }
			string wanted = host.TrimEnd('.').ToLowerInvariant();
			List<object> san = (List<object>)cert["san"];
			IPAddress address;
			bool isAddress = IPAddress.TryParse(wanted, out address) && (wanted.IndexOf(':') >= 0 || wanted.Split('.').Length == 4);
			List<string> patterns = new List<string>();
			foreach (object item in san)
			{
				string entry = (string)item;
				if (entry.StartsWith("dns:", StringComparison.Ordinal)) { patterns.Add(entry.Substring(4)); }
				else if (isAddress && entry.Substring(3) == address.ToString()) { return true; }
			}
			if (isAddress) { return false; }
			if (san.Count == 0)
			{
				string common = CommonName((string)cert["subject"]);
				if (common != null) { patterns.Add(common); }
			}
			foreach (string pattern in patterns)
			{
				string text = pattern.TrimEnd('.').ToLowerInvariant();
				if (text == wanted) { return true; }
				int dot = wanted.IndexOf('.');
				if (text.StartsWith("*.", StringComparison.Ordinal) && text.Split('.').Length >= 3 && dot >= 0 && wanted.Substring(dot + 1) == text.Substring(2)) { return true; }
			}
			return false;
		}

		/// <summary>The last CN of a subject written by NameText, unescaped; null without one.</summary>
		public static string CommonName(string subject)
		{
			string found = null;
			StringBuilder part = new StringBuilder();
			bool wanted = false;
			bool start = true;
			for (int i = 0; i <= subject.Length; i++)
			{
				if (start && i < subject.Length)
				{
					if (subject[i] == ' ') { continue; }
					wanted = string.CompareOrdinal(subject, i, "CN=", 0, 3) == 0;
					if (wanted) { i += 2; }
					part = new StringBuilder();
					start = false;
					if (wanted) { continue; }
				}
				if (i == subject.Length || subject[i] == ',' || subject[i] == '+')
				{
					if (wanted && !start) { found = part.ToString(); }
					start = true;
					continue;
				}
				if (subject[i] == '\\' && i + 1 < subject.Length) { i++; }
				part.Append(subject[i]);
			}
			return found;
		}

		private static Dictionary<string, string> Pairs(string text)
		{
			Dictionary<string, string> result = new Dictionary<string, string>(StringComparer.Ordinal);
			foreach (string pair in text.Split(' '))
			{
				string[] sides = pair.Split('=');
				result[sides[0]] = sides[1];
			}
			return result;
		}
	}
}
