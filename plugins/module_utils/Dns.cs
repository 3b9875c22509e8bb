// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

// DNS as the probes need it: raw questions to each resolver (RFC 1035), past caches and the hosts file. Twin of dns.py.
namespace ansible_collections.edefter.ready.plugins.module_utils.Dns
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
                using (RNGCryptoServiceProvider source = new RNGCryptoServiceProvider()) { source.GetBytes(bytes); }
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
                answer["data"] = ReadName(message, length, ref at);
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

    public delegate void Told();

    public delegate bool Whether();

    public static class DnsClient
    {
        public const int MaxResolvers = 8;
        // Datagrams go out at these parts of the timeout: one lost packet must not look like a dead resolver.
        private static readonly double[] ResendAt = new double[] { 0.0, 0.2, 0.5 };
        // After the first reply the socket stays open for differing ones: at least ListenMinMs, at most ListenMaxMs, and no longer
        // than the target's other phases take, so that listening costs no time of its own.
        private const double ListenMinMs = 150.0;
        private const double ListenMaxMs = 500.0;
        private const int TickMicroseconds = 20000;

        /// <summary>
        /// Asks every resolver for A and AAAA at once, in one loop. Never raises for a fault of the network. found: told the addresses as
        /// each first reply comes; answered: told once when nothing more is waited for but differing replies; othersDone: whether the
        /// target's other phases are over.
        /// </summary>
        public static List<object> Ask(IList<string> resolvers, string name, double timeoutMs, Deadline deadline, Dice dice, Found found, Told answered, Whether othersDone)
        {
            double start = deadline.ElapsedMs;
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
                bool told = false;
                while (true)
                {
                    double age = deadline.ElapsedMs - start;
                    if (deadline.Expired) { deadline.Cut(); }
                    bool othersAreDone = told && othersDone();
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
                                string code = deadline.Expired ? "deadline" : "timeout";
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
                    if (!told && !waiting) { told = true; answered(); }
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
                        if (query.First.Truncated)
                        {
                            query.Truncated = true;
                            double left = Math.Max(50.0, limit - (query.FirstAt - start));
                            Guard(query, start, deadline, delegate() { one.Replace(AskTcp(one, dice, left, deadline)); return true; });
                        }
                        found(Addresses(query.First.Answers));
                    }
                }
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

        /// <summary>What a program gets that simply connects: hosts file, caches, search order, all families. Takes as long as it takes.</summary>
        public static Dictionary<string, object> SystemLookup(string host, Deadline deadline)
        {
            double start = deadline.ElapsedMs;
            Dictionary<string, object> result = new Dictionary<string, object>();
            List<object> addresses = new List<object>();
            result["addresses"] = addresses;
            result["error"] = null;
            try
            {
                foreach (IPAddress address in System.Net.Dns.GetHostAddresses(host))
                {
                    if (!addresses.Contains(address.ToString())) { addresses.Add(address.ToString()); }
                }
            }
            catch (SocketException error) { result["error"] = Fault.From("dns", error); }
            catch (ArgumentException error) { result["error"] = Fault.From("dns", error); }
            result["elapsed_ms"] = Text.Ms(deadline.ElapsedMs - start);
            return result;
        }

        public static bool IsAddress(string text)
        {
            IPAddress address;
            // IPAddress.Parse also takes "1" and "0x7f.1"; a name is what does not look like an address to everybody.
            return text != null && IPAddress.TryParse(text, out address) && (text.IndexOf(':') >= 0 || text.Split('.').Length == 4);
        }

        /// <summary>Name servers of the interfaces that are up, in order, each once.</summary>
        public static List<string> Resolvers()
        {
            List<string> result = new List<string>();
            foreach (NetworkInterface item in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (item.OperationalStatus != OperationalStatus.Up && item.OperationalStatus != OperationalStatus.Unknown) { continue; }
                foreach (string address in ResolversOf(item)) { if (!result.Contains(address) && result.Count < MaxResolvers) { result.Add(address); } }
            }
            return result;
        }

        public static List<string> ResolversOf(NetworkInterface item)
        {
            List<string> result = new List<string>();
            IPAddressCollection addresses;
            try { addresses = item.GetIPProperties().DnsAddresses; }
            catch (NetworkInformationException) { return result; }
            catch (NotImplementedException) { return result; }
            foreach (IPAddress address in addresses)
            {
                // fec0:0:0:ffff::1 to ::3 are what Windows puts where no IPv6 resolver is known; nobody is there.
                if (address.IsIPv6SiteLocal || result.Contains(address.ToString())) { continue; }
                result.Add(address.ToString());
            }
            return result;
        }
    }

    /// <summary>The hosts file, as the system reads it.</summary>
    public static class HostsFile
    {
        private const int MaxBytes = 1 << 20;

        public static string FilePath()
        {
            Answer answer = HostApi.HostApi.Override;
            string fake = answer == null ? null : answer("hosts_file", "") as string;
            if (fake != null) { return fake; }
            if (Environment.OSVersion.Platform == PlatformID.Unix) { return "/etc/hosts"; }
            return Path.Combine(Environment.SystemDirectory, @"drivers\etc\hosts");
        }

        /// <summary>Entries {address, names, line}; lines: how many there are; error: what kept the file from being read.</summary>
        public static List<Dictionary<string, object>> Read(out long lines, out Dictionary<string, object> error)
        {
            lines = 0;
            error = null;
            string text;
            try
            {
                using (FileStream file = new FileStream(FilePath(), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
                {
                    byte[] bytes = new byte[(int)Math.Min(MaxBytes, file.Length)];
                    int have = 0;
                    while (have < bytes.Length)
                    {
                        int got = file.Read(bytes, have, bytes.Length - have);
                        if (got == 0) { break; }
                        have += got;
                    }
                    text = new UTF8Encoding(false).GetString(bytes, 0, have).TrimStart('\uFEFF');
                }
            }
            catch (FileNotFoundException reason) { error = Fault.Make("hosts_file", "not_found", null, reason.Message); return new List<Dictionary<string, object>>(); }
            catch (DirectoryNotFoundException reason) { error = Fault.Make("hosts_file", "not_found", null, reason.Message); return new List<Dictionary<string, object>>(); }
            catch (UnauthorizedAccessException reason) { error = Fault.From("hosts_file", reason); return new List<Dictionary<string, object>>(); }
            catch (IOException reason) { error = Fault.From("hosts_file", reason); return new List<Dictionary<string, object>>(); }
            return Parse(text, out lines);
        }

        public static List<Dictionary<string, object>> Parse(string text, out long lines)
        {
            List<Dictionary<string, object>> result = new List<Dictionary<string, object>>();
            string[] all = text.Replace("\r\n", "\n").Replace('\r', '\n').Split('\n');
            lines = all.Length > 0 && all[all.Length - 1].Length == 0 ? all.Length - 1 : all.Length;
            for (int i = 0; i < all.Length; i++)
            {
                int comment = all[i].IndexOf('#');
                string line = comment < 0 ? all[i] : all[i].Substring(0, comment);
                string[] words = line.Split((char[])null, StringSplitOptions.RemoveEmptyEntries);
                if (words.Length < 2 || !DnsClient.IsAddress(words[0])) { continue; }
                List<object> names = new List<object>();
                for (int n = 1; n < words.Length && n < 33; n++) { names.Add(Text.Bound(words[n], 255)); }
                Dictionary<string, object> entry = new Dictionary<string, object>();
                entry["address"] = words[0];
                entry["names"] = names;
                entry["line"] = (long)(i + 1);
                result.Add(entry);
            }
            return result;
        }

        /// <summary>Whether an entry speaks of this name.</summary>
        public static bool Names(Dictionary<string, object> entry, string host)
        {
            foreach (object name in (List<object>)entry["names"])
            {
                if (string.Equals(((string)name).TrimEnd('.'), host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)) { return true; }
            }
            return false;
        }

        public static List<object> AddressesFor(IEnumerable<Dictionary<string, object>> entries, string host)
        {
            List<object> result = new List<object>();
            foreach (Dictionary<string, object> entry in entries)
            {
                if (result.Count < 16 && Names(entry, host) && !result.Contains(entry["address"])) { result.Add(entry["address"]); }
            }
            return result;
        }
    }
}
