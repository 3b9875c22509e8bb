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

// Messages of DNS (RFC 1035), built and read by hand: bounded whatever the bytes are. Twin of dns_message.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.DnsMessage
{
	/// <summary>A reply to our question that cannot be read.</summary>
	public sealed class MalformedException : Exception
	{
		public MalformedException(string why) : base(why) { }
	}

	/// <summary>Unpredictable numbers; repeatable with a seed. Safe for threads.</summary>
	public sealed class Dice
	{
		private readonly Random random;

		public Dice(object seed, string salt)
		{
			if (seed == null)
			{
				byte[] bytes = new byte[4];
				using (RandomNumberGenerator source = RandomNumberGenerator.Create()) { source.GetBytes(bytes); }
				random = new Random(BitConverter.ToInt32(bytes, 0));
				return;
			}
			int mixed = 17;
			foreach (char c in Convert.ToString(seed, CultureInfo.InvariantCulture) + "/" + salt) { mixed = unchecked(mixed * 31 + c); }
			random = new Random(mixed);
		}

		/// <summary>0 … below - 1.</summary>
		public int Next(int below)
		{
			lock (random) { return random.Next(below); }
		}
	}

	/// <summary>One reply that answers our question.</summary>
	public sealed class Reply
	{
		public int Rcode;
		public bool Truncated;
		public bool CaseKept;
		public List<object> Answers = new List<object>();

		/// <summary>What makes two replies differ: not the order and not the TTL.</summary>
		public string Identity()
		{
			List<string> parts = new List<string>();
			foreach (object item in Answers)
			{
				Dictionary<string, object> answer = (Dictionary<string, object>)item;
				parts.Add((string)answer["type"] + " " + (string)answer["data"]);
			}
			parts.Sort(StringComparer.Ordinal);
			return Rcode.ToString(CultureInfo.InvariantCulture) + "|" + string.Join("|", parts.ToArray());
		}
	}

	/// <summary>Building and reading of messages. Bounded whatever the bytes are.</summary>
	public static class Message
	{
		public const int MaxAnswers = 32;

		public static int TypeNumber(string type)
		{
			return type == "AAAA" ? 28 : 1;
		}

		/// <summary>The name in random case (draft-vixie-dnsext-dns0x20): whoever answers blindly does not echo it.</summary>
		public static string MixedCase(string name, Dice dice)
		{
			StringBuilder result = new StringBuilder(name.Length);
			foreach (char c in name) { result.Append(dice.Next(2) == 1 ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c)); }
			return result.ToString();
		}

		/// <summary>One question, recursion desired, no EDNS: what the oldest branch router understands.</summary>
		public static byte[] Build(string name, int type, int ident)
		{
			List<byte> result = new List<byte>();
			Put(result, ident);
			Put(result, 0x0100);
			Put(result, 1);
			Put(result, 0);
			Put(result, 0);
			Put(result, 0);
			int size = 0;
			foreach (string label in name.TrimEnd('.').Split('.'))
			{
				if (label.Length < 1 || label.Length > 63) { throw new MalformedException("a label of " + label.Length + " bytes"); }
				size += label.Length + 1;
				if (size > 254) { throw new MalformedException("a name of more than 255 bytes"); }
				result.Add((byte)label.Length);
				foreach (char c in label)
				{
					if (c > 0x7F) { throw new MalformedException("a label that is not ASCII"); }
					result.Add((byte)c);
				}
			}
			result.Add(0);
			Put(result, type);
			Put(result, 1);
			return result.ToArray();
		}

		/// <summary>The reply, or null when it does not answer this question. Raises MalformedException when it does and cannot be read.</summary>
		public static Reply Parse(byte[] message, int length, string name, int type, int ident)
		{
			if (length < 12 || Word(message, 0) != ident) { return null; }
			int flags = Word(message, 2);
			if ((flags & 0x8000) == 0) { return null; }
			Reply reply = new Reply();
			reply.Rcode = flags & 0x0F;
			int questions = Word(message, 4);
			int answers = Word(message, 6);
			if (questions != 1)
			{
				// Some servers leave the question out of an error. The id (and the connected socket) still ties it to us.
				return questions == 0 && reply.Rcode != 0 && answers == 0 ? reply : null;
			}
			int pos = 12;
			string asked;
			try { asked = ReadName(message, length, ref pos); }
			catch (MalformedException) { return null; }
			if (length < pos + 4 || !string.Equals(asked, name, StringComparison.OrdinalIgnoreCase)) { return null; }
			if (Word(message, pos) != type || Word(message, pos + 2) != 1) { return null; }
			pos += 4;
			reply.CaseKept = string.Equals(asked, name, StringComparison.Ordinal);
			reply.Truncated = (flags & 0x0200) != 0;
			for (int i = 0; i < answers && reply.Answers.Count < MaxAnswers; i++)
			{
				if (reply.Truncated && pos >= length) { break; }
				ReadName(message, length, ref pos);
				if (pos + 10 > length) { throw new MalformedException("an answer beyond the end"); }
				int rtype = Word(message, pos);
				long ttl = 65536L * Word(message, pos + 4) + Word(message, pos + 6);
				int size = Word(message, pos + 8);
				pos += 10;
				if (pos + size > length) { throw new MalformedException("data beyond the end"); }
				Dictionary<string, object> answer = new Dictionary<string, object>();
				Data(message, length, rtype, pos, size, answer);
				answer["ttl"] = ttl;
				reply.Answers.Add(answer);
				pos += size;
			}
			return reply;
		}

		/// <summary>Name at pos; pos moves behind it. Pointers may only lead backwards, so every name ends.</summary>
		public static string ReadName(byte[] message, int end, ref int pos)
		{
			StringBuilder result = new StringBuilder();
			int after = -1;
			int limit = pos;
			int at = pos;
			int size = 0;
			while (true)
			{
				if (at >= end) { throw new MalformedException("a name beyond the end"); }
				int length = message[at];
				if ((length & 0xC0) == 0xC0)
				{
					if (at + 1 >= end) { throw new MalformedException("half a pointer"); }
					int target = ((length & 0x3F) << 8) | message[at + 1];
					if (after < 0) { after = at + 2; }
					if (target >= limit) { throw new MalformedException("a pointer that leads forwards"); }
					limit = target;
					at = target;
					continue;
				}
				if ((length & 0xC0) != 0) { throw new MalformedException("a label of unknown kind"); }
				at++;
				if (length == 0)
				{
					pos = after < 0 ? at : after;
					return result.ToString();
				}
				size += length + 1;
				if (size > 254 || at + length > end) { throw new MalformedException("a name too long"); }
				if (result.Length > 0) { result.Append('.'); }
				for (int i = at; i < at + length; i++)
				{
					byte b = message[i];
					if (b >= 0x21 && b <= 0x7E && b != 0x2E && b != 0x5C) { result.Append((char)b); }
					else { result.Append('\\').Append(b.ToString("000", CultureInfo.InvariantCulture)); }
				}
				at += length;
			}
		}

		private static void Data(byte[] message, int length, int rtype, int pos, int size, Dictionary<string, object> answer)
		{
			byte[] raw = new byte[size];
			Array.Copy(message, pos, raw, 0, size);
			if ((rtype == 1 && size == 4) || (rtype == 28 && size == 16))
			{
				answer["type"] = rtype == 1 ? "A" : "AAAA";
				answer["data"] = new IPAddress(raw).ToString();
			}
			else if (rtype == 5)
			{
				int at = pos;
				answer["type"] = "CNAME";
				// Compression points into the question, so the name may come in our random case.
				answer["data"] = ReadName(message, length, ref at).ToLowerInvariant();
			}
			else
			{
				answer["type"] = "TYPE" + rtype.ToString(CultureInfo.InvariantCulture);
				answer["data"] = Text.Hex(raw, 32);
			}
		}

		private static int Word(byte[] message, int pos)
		{
			return (message[pos] << 8) | message[pos + 1];
		}

		private static void Put(List<byte> message, int value)
		{
			message.Add((byte)(value >> 8));
			message.Add((byte)value);
		}
	}
}
