// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using ansible_collections.edefter.ready.plugins.module_utils.Background;
using ansible_collections.edefter.ready.plugins.module_utils.Certs;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.DnsMessage;
using ansible_collections.edefter.ready.plugins.module_utils.Http;
using ansible_collections.edefter.ready.plugins.module_utils.ProbeContext;
using ansible_collections.edefter.ready.plugins.module_utils.Proxy;
using ansible_collections.edefter.ready.plugins.module_utils.Resolving;
using ansible_collections.edefter.ready.plugins.module_utils.Tls;

namespace ansible_collections.edefter.ready.plugins.module_utils.ProbeParts
{
    /// <summary>For the tests only: the pure parts of the probes, one at a time, with plain input and output.</summary>
    public static class ProbeParts
    {
        public static Dictionary<string, object> Run(IDictionary p)
        {
            Dictionary<string, object> result = new Dictionary<string, object>();
            try { result["value"] = Part(p); }
            catch (MalformedException) { result["raised"] = "Malformed"; }
            catch (HttpMalformed) { result["raised"] = "Malformed"; }
            return result;
        }

        private static object Part(IDictionary p)
        {
            switch (Opt.Str(p, "part", ""))
            {
                case "dns_build": return Text.Hex(Message.Build(Opt.Str(p, "name", ""), Opt.Int(p, "type", 1), Opt.Int(p, "ident", 0)), 1024);
                case "dns_parse": return Dns(p);
                case "certificate": return CertReader.Read(Bytes(p, "hex"));
                case "name_matches": return CertReader.NameMatches(CertReader.Read(Bytes(p, "hex")), Opt.Str(p, "host", ""));
                case "tls_scan": return Scan(Bytes(p, "hex"), Opt.Str(p, "failure", ""));
                case "http": return Http(p);
                case "http_date": return HttpProbe.ParseDate(Opt.Str(p, "text", null));
                case "host_port": return HostPort(Opt.Str(p, "text", ""));
                case "bypassed": return Proxy.Proxy.Bypassed(Opt.Str(p, "host", ""), Opt.List(p, "patterns"));
                case "hosts": return Hosts(Opt.Str(p, "text", ""));
                case "blob": return Connection(p);
                case "race": return Browser.Race(Opt.Strings(p, "order"), Attempts(p));
                case "chain_codes": return new List<string>(TlsProbe.Codes(Opt.Int(p, "flags", 0))).ConvertAll(delegate(string c) { return (object)c; });
                case "worker": return Broken();
                default: throw new ArgumentException("part");
            }
        }

        private static object Broken()
        {
            object code = null;
            Worker.Start(delegate() { throw new InvalidOperationException("nobody foresaw this"); },
                delegate(Exception error) { code = Fault.Broke("dns", error)["code"]; }).Join();
            return code;
        }

        private static byte[] Bytes(IDictionary p, string key)
        {
            string hex = Opt.Str(p, key, "");
            byte[] result = new byte[hex.Length / 2];
            for (int i = 0; i < result.Length; i++) { result[i] = byte.Parse(hex.Substring(2 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture); }
            return result;
        }

        private static object Dns(IDictionary p)
        {
            byte[] message = Bytes(p, "hex");
            Reply reply = Message.Parse(message, message.Length, Opt.Str(p, "name", ""), Opt.Int(p, "type", 1), Opt.Int(p, "ident", 0));
            if (reply == null) { return null; }
            Dictionary<string, object> result = new Dictionary<string, object>();
            result["rcode"] = (long)reply.Rcode;
            result["truncated"] = reply.Truncated;
            result["case_kept"] = reply.CaseKept;
            result["answers"] = reply.Answers;
            return result;
        }

        private static object Scan(byte[] first, string failure)
        {
            Seen seen = Seen.Scan(first);
            Dictionary<string, object> result = new Dictionary<string, object>();
            result["alert"] = seen.Alert;
            result["code"] = seen.ErrorCode(failure);
            return result;
        }

        private static object Http(IDictionary p)
        {
            byte[] raw = Bytes(p, "hex");
            int end = Head.EndOf(raw, 0, raw.Length);
            if (end < 0) { return null; }
            Head head = Head.Parse(Encoding.GetEncoding(28591).GetString(raw, 0, end).TrimEnd('\r', '\n'));
            Dictionary<string, object> headers = new Dictionary<string, object>();
            foreach (KeyValuePair<string, string> pair in head.Headers) { headers[pair.Key] = pair.Value; }
            Body body = new Body(head);
            int step = Opt.Int(p, "step", 7);
            for (int at = end; at < raw.Length && body.Open; at += step) { body.Feed(raw, at, Math.Min(step, raw.Length - at)); }
            Dictionary<string, object> result = new Dictionary<string, object>();
            result["status"] = (long)head.Status;
            result["version"] = head.Version;
            result["headers"] = headers;
            result["done"] = body.Done;
            result["bad"] = body.Bad;
            Dictionary<string, object> data = body.Data(false);
            result["length"] = data["length"];
            result["sha256"] = data["sha256"];
            result["title"] = data["title"];
            return result;
        }

        private static object HostPort(string text)
        {
            bool removed;
            string place = Proxy.Proxy.HostPort(text, out removed);
            return new List<object> { place, removed };
        }

        private static object Hosts(string text)
        {
            long lines;
            List<object> result = new List<object>();
            foreach (Dictionary<string, object> entry in HostsFile.Parse(text, out lines)) { result.Add(entry); }
            return new List<object> { result, lines };
        }

        private static object Connection(IDictionary p)
        {
            Dictionary<string, object> box = new Dictionary<string, object>();
            box["hex"] = Opt.Str(p, "hex", "");
            Blob blob = Blob.Parse(box);
            if (blob == null) { return null; }
            return new List<object> { blob.Flags, blob.Server, blob.Bypass, blob.Pac };
        }

        private static List<object> Attempts(IDictionary p)
        {
            List<object> result = new List<object>();
            foreach (IDictionary item in Opt.Dicts(p, "attempts"))
            {
                Dictionary<string, object> tcp = new Dictionary<string, object>();
                tcp["error"] = Opt.Bool(item, "failed", false) ? new Dictionary<string, object>() : null;
                object took = Opt.Get(item, "took");
                tcp["elapsed_ms"] = took == null ? null : (object)Opt.Dbl(item, "took", 0.0);
                Dictionary<string, object> attempt = new Dictionary<string, object>();
                attempt["address"] = Opt.Str(item, "address", "");
                attempt["tcp"] = tcp;
                result.Add(attempt);
            }
            return result;
        }
    }
}
