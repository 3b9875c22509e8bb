// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Security;
using System.Security.Authentication;
using System.Text;
using System.Threading;
using Microsoft.Win32;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

// What every observer on the Windows side shares. Read-only: nothing in this collection's C# writes, starts a process or
// raises out of a section. Results are Dictionary, List, string, long, double, bool and null only.
namespace ansible_collections.edefter.ready.plugins.module_utils.Core
{
	/// <summary>Reads options as Ansible.Basic hands them over: every reader takes a fallback and never raises.</summary>
	public static class Opt
	{
		public static object Get(IDictionary options, string key)
		{
			return options != null && options.Contains(key) ? options[key] : null;
		}

		public static string Str(IDictionary options, string key, string fallback)
		{
			object value = Get(options, key);
			return value == null ? fallback : Convert.ToString(value, CultureInfo.InvariantCulture);
		}

		public static int Int(IDictionary options, string key, int fallback)
		{
			double value = Dbl(options, key, fallback);
			if (value >= int.MaxValue) { return int.MaxValue; }
			return value <= int.MinValue ? int.MinValue : (int)value;
		}

		public static double Dbl(IDictionary options, string key, double fallback)
		{
			object value = Get(options, key);
			if (value == null) { return fallback; }
			string text = value as string;
			double parsed;
			if (text != null)
			{
				return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out parsed) ? parsed : fallback;
			}
			try { return Convert.ToDouble(value, CultureInfo.InvariantCulture); }
			catch (InvalidCastException) { return fallback; }
		}

		public static bool Bool(IDictionary options, string key, bool fallback)
		{
			object value = Get(options, key);
			return value is bool ? (bool)value : fallback;
		}

		/// <summary>The elements of a list option; empty when absent. A string is one element, not its characters.</summary>
		public static List<object> List(IDictionary options, string key)
		{
			object value = Get(options, key);
			List<object> result = new List<object>();
			IEnumerable many = value is string ? null : value as IEnumerable;
			if (many != null) { foreach (object item in many) { result.Add(item); } }
			else if (value != null) { result.Add(value); }
			return result;
		}

		public static List<string> Strings(IDictionary options, string key)
		{
			List<string> result = new List<string>();
			foreach (object item in List(options, key))
			{
				if (item != null) { result.Add(Convert.ToString(item, CultureInfo.InvariantCulture)); }
			}
			return result;
		}

		/// <summary>The dictionaries among the elements of a list option.</summary>
		public static List<IDictionary> Dicts(IDictionary options, string key)
		{
			List<IDictionary> result = new List<IDictionary>();
			foreach (object item in List(options, key))
			{
				IDictionary dict = item as IDictionary;
				if (dict != null) { result.Add(dict); }
			}
			return result;
		}
	}

	/// <summary>One end for everything, on the monotonic clock: a clock that is set during the observation moves nothing.</summary>
	public sealed class Deadline
	{
		private readonly Stopwatch watch = Stopwatch.StartNew();
		private readonly double limitMs;
		private int cut;

		public Deadline(double seconds)
		{
			limitMs = Math.Max(0.1, seconds) * 1000.0;
		}

		public double ElapsedMs { get { return watch.Elapsed.TotalMilliseconds; } }

		public double RemainingMs { get { return Math.Max(0.0, limitMs - ElapsedMs); } }

		public bool Expired { get { return RemainingMs <= 0.0; } }

		/// <summary>True once any work was given up because the time was over; makes the observation incomplete.</summary>
		public bool WasCut { get { return cut != 0; } }

		public void Cut()
		{
			Interlocked.Exchange(ref cut, 1);
		}

		/// <summary>A wait of at most wantedMs that ends with the deadline; at least 1 ms, as 0 means "for ever" to sockets.</summary>
		public int ClampMs(double wantedMs)
		{
			return (int)Math.Max(1.0, Math.Min(wantedMs, RemainingMs));
		}
	}

	/// <summary>Typed errors: {phase, code, native, message}. The code is from a fixed list, the message only evidence.</summary>
	public static class Fault
	{
		public static Dictionary<string, object> Make(string phase, string code, long? native, string message)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["phase"] = phase;
			result["code"] = code;
			result["native"] = native.HasValue ? (object)native.Value : null;
			result["message"] = Text.Bound(message, 300);
			return result;
		}

		/// <summary>What nobody foresaw. Its code is `error`: a bug of ours must not read like a fault of the network.</summary>
		public static Dictionary<string, object> Broke(string phase, Exception error)
		{
			return Make(phase, "error", null, error.ToString());
		}

		public static Dictionary<string, object> From(string phase, Exception error)
		{
			Exception inner = error;
			while (inner.InnerException != null && (inner is AggregateException || inner is IOException
				|| inner is System.Reflection.TargetInvocationException))
			{
				inner = inner.InnerException;
			}
			SocketException socket = inner as SocketException;
			if (socket != null) { return Make(phase, SocketCode(socket.SocketErrorCode), socket.ErrorCode, socket.Message); }
			string code = "error";
			if (inner is TimeoutException) { code = "timeout"; }
			else if (inner is AuthenticationException) { code = "authentication"; }
			else if (inner is SecurityException || inner is UnauthorizedAccessException) { code = "access_denied"; }
			else if (inner is ObjectDisposedException) { code = "closed"; }
			else if (inner is IOException) { code = "io"; }
			return Make(phase, code, null, inner.GetType().Name + ": " + inner.Message);
		}

		/// <summary>Winsock error (Microsoft: "Windows Sockets Error Codes") to our code.</summary>
		public static string SocketCode(SocketError error)
		{
			switch (error)
			{
				case SocketError.TimedOut: return "timeout";
				case SocketError.ConnectionRefused: return "refused";
				case SocketError.ConnectionReset: return "reset";
				case SocketError.ConnectionAborted: return "aborted";
				case SocketError.HostUnreachable: return "host_unreachable";
				case SocketError.NetworkUnreachable: return "network_unreachable";
				case SocketError.NetworkDown: return "network_down";
				case SocketError.HostDown: return "host_unreachable";
				// WSAEACCES: a Windows Filtering Platform filter (firewall, antivirus) on this machine said no.
				case SocketError.AccessDenied: return "access_denied";
				case SocketError.HostNotFound: return "nxdomain";
				case SocketError.NoData: return "nodata";
				case SocketError.TryAgain: return "try_again";
				case SocketError.NoRecovery: return "no_recovery";
				case SocketError.AddressNotAvailable: return "address_not_available";
				case SocketError.AddressFamilyNotSupported: return "family_not_supported";
				case SocketError.Shutdown: return "closed";
				default: return "socket_error";
			}
		}
	}

	public static class Text
	{
		/// <summary>Cut to max characters; control characters become U+FFFD.</summary>
		public static string Bound(string value, int max)
		{
			if (value == null) { return null; }
			StringBuilder result = new StringBuilder(Math.Min(value.Length, max));
			for (int i = 0; i < value.Length && i < max; i++)
			{
				char c = value[i];
				// A pair cut in half would not survive JSON.
				if (char.IsHighSurrogate(c) && (i + 1 >= max || i + 1 >= value.Length || !char.IsLowSurrogate(value[i + 1]))) { c = '\uFFFD'; }
				else if (char.IsLowSurrogate(c) && (i == 0 || !char.IsHighSurrogate(value[i - 1]))) { c = '\uFFFD'; }
				else if (char.IsControl(c) && c != '\n' && c != '\t') { c = '\uFFFD'; }
				result.Append(c);
			}
			return result.ToString();
		}

		public static string Hex(byte[] bytes, int max)
		{
			if (bytes == null) { return null; }
			StringBuilder result = new StringBuilder();
			for (int i = 0; i < bytes.Length && i < max; i++) { result.Append(bytes[i].ToString("x2", CultureInfo.InvariantCulture)); }
			return result.ToString();
		}

		/// <summary>ISO 8601, UTC, milliseconds.</summary>
		public static string Iso(DateTime utc)
		{
			return utc.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
		}

		public static double Ms(double value)
		{
			return Math.Round(value, 3);
		}
	}

	/// <summary>The registry, read-only, in the 64-bit view whatever the process is. Absent is null or empty, never an error.</summary>
	public static class Reg
	{
		public const int MaxValues = 20000;
		// One reader at a time. Windows needs none of this; Mono's file-backed registry, which the tests stand on, mixes up
		// keys that several threads open and close at once.
		public static readonly object Gate = new object();

		/// <summary>Opens HKLM\path for reading, with Gate held; null when absent. SecurityException and the like reach the section's guard.</summary>
		public static RegistryKey Open(string path)
		{
			return Open(RegistryHive.LocalMachine, path);
		}

		public static RegistryKey Open(RegistryHive hive, string path)
		{
			using (RegistryKey root = RegistryKey.OpenBaseKey(hive, RegistryView.Registry64))
			{
				return root.OpenSubKey(path, false);
			}
		}

		public static bool Exists(string path)
		{
			lock (Reg.Gate) { using (RegistryKey key = Open(path)) { return key != null; } }
		}

		public static object Value(string path, string name)
		{
			lock (Reg.Gate)
			{
				using (RegistryKey key = Open(path)) { return key == null ? null : Plain(key.GetValue(name, null, RegistryValueOptions.DoNotExpandEnvironmentNames)); }
			}
		}

		public static string Str(string path, string name)
		{
			return Value(path, name) as string;
		}

		public static long? Num(string path, string name)
		{
			object value = Value(path, name);
			return value is long ? (long?)value : null;
		}

		/// <summary>All values of HKLM\path, plain; null when the key is absent.</summary>
		public static Dictionary<string, object> Values(string path)
		{
			return Values(RegistryHive.LocalMachine, path);
		}

		public static Dictionary<string, object> Values(RegistryHive hive, string path)
		{
			lock (Reg.Gate)
			using (RegistryKey key = Open(hive, path))
			{
				if (key == null) { return null; }
				Dictionary<string, object> result = new Dictionary<string, object>();
				foreach (string name in key.GetValueNames())
				{
					if (result.Count >= MaxValues) { break; }
					result[name] = Plain(key.GetValue(name, null, RegistryValueOptions.DoNotExpandEnvironmentNames));
				}
				return result;
			}
		}

		public static string[] SubKeys(RegistryHive hive, string path)
		{
			lock (Reg.Gate) { using (RegistryKey key = Open(hive, path)) { return key == null ? new string[0] : key.GetSubKeyNames(); } }
		}

		/// <summary>
		/// DWORD → long 0..2^32-1 (.NET reads them signed), QWORD → long, string → bounded text, MULTI_SZ → List of text,
		/// BINARY → {"hex": …} of at most 1024 bytes.
		/// </summary>
		public static object Plain(object value)
		{
			if (value is int) { return (long)unchecked((uint)(int)value); }
			if (value is long) { return value; }
			string text = value as string;
			if (text != null) { return Text.Bound(text, 8192); }
			string[] many = value as string[];
			if (many != null)
			{
				List<object> result = new List<object>();
				foreach (string item in many) { if (result.Count < 256) { result.Add(Text.Bound(item, 2048)); } }
				return result;
			}
			byte[] bytes = value as byte[];
			if (bytes != null)
			{
				Dictionary<string, object> result = new Dictionary<string, object>();
				result["hex"] = Text.Hex(bytes, 1024);
				return result;
			}
			return value == null ? null : Text.Bound(Convert.ToString(value, CultureInfo.InvariantCulture), 2048);
		}
	}

	/// <summary>Runs one section behind a guard: an error stays in its section.</summary>
	public static class Section
	{
		public delegate Dictionary<string, object> Body(IDictionary options, Deadline deadline);

		public static Dictionary<string, object> Run(Body body, IDictionary options, Deadline deadline)
		{
			Stopwatch watch = Stopwatch.StartNew();
			Dictionary<string, object> result = new Dictionary<string, object>();
			try
			{
				result["data"] = body(options, deadline);
				result["status"] = "ok";
				result["error"] = null;
			}
			catch (Exception error)
			{
				// The widest catch there is, on purpose: whatever breaks in one section must not take the others along.
				result["data"] = null;
				result["status"] = "error";
				result["error"] = Fault.From("section", error);
			}
			result["elapsed_ms"] = Text.Ms(watch.Elapsed.TotalMilliseconds);
			return result;
		}

		public static Dictionary<string, object> Late(double elapsedMs)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["data"] = null;
			result["status"] = "error";
			result["error"] = Fault.Make("section", "deadline", null, "not finished when the overall deadline ended");
			result["elapsed_ms"] = Text.Ms(elapsedMs);
			return result;
		}
	}

	/// <summary>Runs named sections side by side, each on a thread of its own, and builds the observation.</summary>
	public static class Observer
	{
		public const string Version = "0.1.0";

		public static Dictionary<string, object> Observe(string module, IDictionary<string, Section.Body> bodies, IDictionary options)
		{
			DateTime started = HostApi.HostApi.UtcNow();
			Deadline deadline = new Deadline(Opt.Dbl(options, "deadline", 25.0));
			List<string> wanted = Opt.Strings(options, "sections");
			Dictionary<string, object> sections = new Dictionary<string, object>();
			List<KeyValuePair<string, Thread>> threads = new List<KeyValuePair<string, Thread>>();
			foreach (KeyValuePair<string, Section.Body> entry in bodies)
			{
				if (wanted.Count > 0 && !wanted.Contains(entry.Key)) { continue; }
				string name = entry.Key;
				Section.Body body = entry.Value;
				Thread thread = new Thread(delegate()
				{
					Dictionary<string, object> section = Section.Run(body, options, deadline);
					lock (sections) { sections[name] = section; }
				});
				thread.IsBackground = true;
				thread.CurrentCulture = CultureInfo.InvariantCulture;
				thread.CurrentUICulture = CultureInfo.InvariantCulture;
				thread.Start();
				threads.Add(new KeyValuePair<string, Thread>(name, thread));
			}
			// A short grace: sections end themselves with the deadline and still have to hand over what they have.
			const double graceMs = 1500.0;
			Dictionary<string, object> done = new Dictionary<string, object>();
			foreach (KeyValuePair<string, Thread> entry in threads)
			{
				bool ended = entry.Value.Join((int)(deadline.RemainingMs + graceMs));
				lock (sections)
				{
					if (ended && sections.ContainsKey(entry.Key)) { done[entry.Key] = sections[entry.Key]; }
					else { deadline.Cut(); done[entry.Key] = Section.Late(deadline.ElapsedMs); }
				}
			}
			Dictionary<string, object> collector = new Dictionary<string, object>();
			collector["module"] = module;
			collector["version"] = Version;
			collector["runtime"] = "clr";
			collector["runtime_version"] = Environment.Version.ToString();
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["schema"] = 1L;
			result["collector"] = collector;
			result["started_utc"] = Text.Iso(started);
			result["elapsed_ms"] = Text.Ms(deadline.ElapsedMs);
			result["complete"] = !deadline.WasCut;
			result["sections"] = done;
			return result;
		}
	}
}
