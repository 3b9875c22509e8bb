// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;
using System.Web.Script.Serialization;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;
using ansible_collections.edefter.ready.plugins.module_utils.HostInfo;

// edefter-kontrol.exe: the observing C# of the collection with a Main round it, for machines that Ansible cannot reach. It reads, shows
// what it saw and writes one JSON file; it installs nothing, changes nothing and asks for no credential. The verdict is made by
// edefter_judge.yml on the control node.
namespace EdefterKontrol
{
	public static partial class Kontrol
	{
		private const int Complete = 0;
		private const int Incomplete = 1;
		private const int Usage = 2;
		private const int NotWritten = 3;
		private const int WrittenElsewhere = 4;
		private const int Broken = 5;

		private static readonly object Gate = new object();

		/// <summary>The tests' seam: they build with one more file that answers for Windows. The product has none, and the call vanishes.</summary>
		static partial void Prepare();

		public static int Main(string[] args)
		{
			Prepare();
			Options options = Options.Read(args);
			Words words = new Words(options.Language);
			Encoding before = SpeakUtf8();
			int code;
			try { code = Run(options, words); }
			catch (Exception error)
			{
				// The widest catch: a technician with a USB stick is to read a sentence, not a crash report.
				Console.Error.WriteLine(words.Say("broke", error.GetType().Name + ": " + error.Message));
				code = Broken;
			}
			if (!options.NoWait && !options.Quiet && AloneInWindow())
			{
				Console.WriteLine();
				Console.WriteLine(words.Say("press"));
				Console.ReadKey(true);
			}
			Speak(before);
			return code;
		}

		private static int Run(Options options, Words words)
		{
			Built built = Built.Load();
			if (options.Bad != null || options.Help)
			{
				TextWriter where = options.Help ? Console.Out : Console.Error;
				if (options.Bad != null) { where.WriteLine(words.Say("bad_option", options.Bad)); }
				where.WriteLine(words.Say("usage"));
				return options.Help ? Complete : Usage;
			}
			string own = Built.OwnSum();
			TextWriter show = options.Quiet ? TextWriter.Null : Console.Out;
			if (options.Version) { show = Console.Out; }
			show.WriteLine(words.Say("title"));
			show.WriteLine(words.Say("version", built.Version, built.CatalogueSum.Substring(0, 16)));
			if (own != null) { show.WriteLine(words.Say("own_hash", own)); }
			if (options.Version) { return Complete; }
			show.WriteLine(words.Say("reads_only", Opt.Int((IDictionary)built.Parameters, "deadline", 25) + 2));
			show.WriteLine();

			Dictionary<string, object> observation = Observe(built, words, show);
			IDictionary sections = (IDictionary)observation["sections"];
			List<object> unseen = Seen.Unseen(sections);
			bool? admin = IsAdmin();
			observation["offline"] = About(built, options, own, admin, unseen);
			string text = Serialized(observation);

			Output output = Output.Write(options.Out, FileName(sections), text);
			Summary(sections, observation, admin, unseen, words, show);
			if (output.Path == null)
			{
				Console.Error.WriteLine(words.Say("nowhere", output.Why));
				return NotWritten;
			}
			show.WriteLine(words.Say("written", output.Path));
			if (output.Refused != null) { show.WriteLine(words.Say("elsewhere", output.Refused, output.Why)); }
			show.WriteLine(words.Say("send"));
			if (options.Out != null && output.Refused != null) { return WrittenElsewhere; }
			return Whole(observation, sections) ? Complete : Incomplete;
		}

		/// <summary>Runs every section as the module host_info does, and tells of each as it ends.</summary>
		private static Dictionary<string, object> Observe(Built built, Words words, TextWriter show)
		{
			Dictionary<string, Section.Body> bodies = new Dictionary<string, Section.Body>();
			Dictionary<string, Section.Body> real = HostInfo.Bodies();
			int done = 0;
			foreach (KeyValuePair<string, Section.Body> entry in real)
			{
				string name = entry.Key;
				Section.Body body = entry.Value;
				bodies[name] = delegate(IDictionary parameters, Deadline deadline)
				{
					Stopwatch watch = Stopwatch.StartNew();
					string failure = null;
					try { return body(parameters, deadline); }
					catch (Exception error)
					{
						failure = error.GetType().Name;
						throw;
					}
					finally
					{
						string took = watch.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
						lock (Gate)
						{
							done++;
							show.WriteLine(words.Say(failure == null ? "done" : "failed", done, real.Count, words.Say("section." + name), failure ?? took));
						}
					}
				};
			}
			return Observer.Observe("host_info", bodies, (IDictionary)built.Parameters);
		}

		private static Dictionary<string, object> About(Built built, Options options, string own, bool? admin, List<object> unseen)
		{
			Dictionary<string, object> machine = new Dictionary<string, object>();
			machine["name"] = Text.Bound(Environment.MachineName, 255);
			machine["os"] = Text.Bound(Environment.OSVersion.VersionString, 200);
			machine["process_bits"] = (long)(IntPtr.Size * 8);
			Dictionary<string, object> about = new Dictionary<string, object>();
			about["tool"] = "edefter-kontrol";
			about["tool_version"] = built.Version;
			about["sha256"] = own;
			about["sources_sha256"] = built.SourcesSum;
			about["catalogue_sha256"] = built.CatalogueSum;
			about["firm"] = options.Firm;
			about["branch"] = options.Branch;
			about["user_is_admin"] = admin.HasValue ? (object)admin.Value : null;
			about["unseen"] = unseen;
			about["machine"] = machine;
			return about;
		}

		private static string Serialized(object value)
		{
			JavaScriptSerializer json = new JavaScriptSerializer();
			json.MaxJsonLength = int.MaxValue;
			json.RecursionLimit = 256;
			return json.Serialize(value);
		}

		/// <summary>edefter-HOST-20261125T071500Z.json, the name with nothing in it that a file name cannot hold.</summary>
		private static string FileName(IDictionary sections)
		{
			IDictionary identity = Seen.Get(sections["identity"] as IDictionary, "data") as IDictionary;
			string host = Seen.Get(identity, "hostname") as string ?? Environment.MachineName;
			StringBuilder safe = new StringBuilder();
			foreach (char c in host)
			{
				bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
				if (safe.Length < 60) { safe.Append(plain ? c : '_'); }
			}
			if (safe.Length == 0) { safe.Append("pc"); }
			string when = HostApi.UtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
			return "edefter-" + safe + "-" + when + ".json";
		}

		private static bool Whole(IDictionary observation, IDictionary sections)
		{
			foreach (DictionaryEntry entry in sections)
			{
				if (!Equals(Seen.Get(entry.Value as IDictionary, "status"), "ok")) { return false; }
			}
			return Equals(observation["complete"], true);
		}

		private static void Summary(IDictionary sections, IDictionary observation, bool? admin, List<object> unseen, Words words, TextWriter show)
		{
			show.WriteLine();
			show.WriteLine(words.Say("summary"));
			IDictionary endpoints = Seen.Get(sections["endpoints"] as IDictionary, "data") as IDictionary;
			foreach (object item in Seen.List(endpoints, "targets"))
			{
				IDictionary target = item as IDictionary;
				if (target == null) { continue; }
				string name = Opt.Str(target, "host", "?") + ":" + Opt.Str(target, "port", "?");
				show.WriteLine("  " + name.PadRight(34) + words.Say(Seen.Reach(target)));
			}
			IDictionary clock = Seen.Get(sections["clock"] as IDictionary, "data") as IDictionary;
			if (clock != null) { show.WriteLine("  " + words.Say("clock_answers", Seen.Answered(clock), Seen.List(clock, "sources").Count)); }
			if (!Equals(observation["complete"], true)) { show.WriteLine(words.Say("cut")); }
			List<string> gaps = Gaps(unseen, words);
			if (admin == false) { show.WriteLine(words.Say(gaps.Count == 0 ? "not_admin_none" : "not_admin")); }
			else if (gaps.Count > 0) { show.WriteLine(words.Say("unseen")); }
			foreach (string gap in gaps) { show.WriteLine("  - " + gap); }
			show.WriteLine();
			show.WriteLine(words.Say("verdict"));
		}

		/// <summary>The gaps in words, each once.</summary>
		private static List<string> Gaps(List<object> unseen, Words words)
		{
			List<string> result = new List<string>();
			foreach (object item in unseen)
			{
				IDictionary one = (IDictionary)item;
				string where = (string)one["where"];
				int dot = where.IndexOf('.');
				string section = dot < 0 ? where : where.Substring(0, dot);
				string text = words.Say("section." + section);
				if (where.StartsWith("proxy.", StringComparison.Ordinal)) { text = words.Say("users"); }
				else if (where.StartsWith("time.", StringComparison.Ordinal) && Equals(one["phase"], "file")) { text = words.Say("task"); }
				else if (dot >= 0 && Equals(one["phase"], "api")) { text += ": " + words.Say("services"); }
				if (!result.Contains(text)) { result.Add(text); }
			}
			return result;
		}

		private static bool? IsAdmin()
		{
			try { return HostApi.IsAdministrator(); }
			catch (SecurityException) { return null; }
			catch (PlatformNotSupportedException) { return null; }
		}

		/// <summary>Turkish on any console; returns what it spoke before, to be put back: the window may be somebody's.</summary>
		private static Encoding SpeakUtf8()
		{
			Encoding before = null;
			try { before = Console.OutputEncoding; }
			catch (IOException) { }
			catch (SecurityException) { }
			return Speak(new UTF8Encoding(false)) ? before : null;
		}

		private static bool Speak(Encoding encoding)
		{
			if (encoding == null) { return false; }
			// A console that cannot (or output that goes into a file of an old system) keeps what it has.
			try { Console.OutputEncoding = encoding; }
			catch (IOException) { return false; }
			catch (SecurityException) { return false; }
			return true;
		}

		/// <summary>True when the console window is ours alone: started by a double click, it would vanish with us.</summary>
		private static bool AloneInWindow()
		{
			try { return !Console.IsInputRedirected && GetConsoleProcessList(new uint[2], 2) == 1; }
			catch (EntryPointNotFoundException) { return false; }
			catch (DllNotFoundException) { return false; }
		}

		[DllImport("kernel32.dll")]
		private static extern uint GetConsoleProcessList(uint[] processes, uint size);
	}
}
