// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Xml;
using Microsoft.Win32;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

//AssemblyReference -Name System.Xml.dll -CLR Framework

namespace ansible_collections.edefter.ready.plugins.module_utils.TimeSettings
{
	/// <summary>
	/// Section `time`: the settings of Windows Time (W32Time), their policy twins, and the time zone. Values come as they are stored; what they
	/// mean is decided on the control node. A value that is absent is null; a key that is absent is a null group.
	/// </summary>
	public static class TimeSettings
	{
		private const string Service = @"SYSTEM\CurrentControlSet\Services\W32Time";
		private const string Policy = @"SOFTWARE\Policies\Microsoft\W32Time";
		private const string ZoneKey = @"SYSTEM\CurrentControlSet\Control\TimeZoneInformation";
		private const string ZoneTable = @"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Time Zones";
		private const string AutoZone = @"SYSTEM\CurrentControlSet\Services\tzautoupdate";
		private const string Turkey = "Turkey Standard Time";
		private const int MaxTriggers = 32;
		private const int MaxTaskBytes = 262144;

		private static readonly string[] ParameterNames = new string[] { "Type", "NtpServer" };
		private static readonly string[] ConfigNames = new string[] {
			"AnnounceFlags", "MaxPosPhaseCorrection", "MaxNegPhaseCorrection", "MaxAllowedPhaseOffset", "MinPollInterval", "MaxPollInterval",
			"PhaseCorrectRate", "UpdateInterval", "LargePhaseOffset", "SpikeWatchPeriod", "HoldPeriod", "UtilizeSslTimeData" };
		private static readonly string[] ClientNames = new string[] { "Enabled", "SpecialPollInterval", "CrossSiteSyncFlags", "NtpServer", "Type" };
		private static readonly string[] ProviderNames = new string[] { "Enabled" };

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["w32time"] = Settings();
			result["policy"] = Policies();
			result["task"] = SynchronizeTask();
			result["zone"] = Zone();
			result["tzautoupdate_start"] = Pick(Folded(AutoZone), "Start");
			return result;
		}

		private static Dictionary<string, object> Settings()
		{
			Dictionary<string, object> root = Folded(Service);
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["present"] = root != null;
			result["start"] = Pick(root, "Start");
			result["delayed"] = Pick(root, "DelayedAutostart");
			result["triggers"] = Triggers();
			result["state"] = null;
			result["exit_code"] = null;
			result["state_error"] = null;
			try
			{
				Dictionary<string, object> live = HostApi.HostApi.Service("w32time");
				result["state"] = live["state"];
				result["exit_code"] = live["exit_code"];
			}
			catch (Exception error) { result["state_error"] = Fault.From("api", error); }
			result["parameters"] = Some(Service + @"\Parameters", ParameterNames);
			result["config"] = Some(Service + @"\Config", ConfigNames);
			result["ntp_client"] = Some(Service + @"\TimeProviders\NtpClient", ClientNames);
			result["ntp_server"] = Some(Service + @"\TimeProviders\NtpServer", ProviderNames);
			result["vmic"] = Some(Service + @"\TimeProviders\VMICTimeProvider", ProviderNames);
			result["secure_time_limits"] = SecureTimeLimits();
			return result;
		}

		/// <summary>The policy's own copies. Which of them Windows reads is for the judge to know; both layouts in use are handed over.</summary>
		private static Dictionary<string, object> Policies()
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["parameters"] = Some(Policy + @"\Parameters", ParameterNames);
			result["config"] = Some(Policy + @"\Config", ConfigNames);
			result["ntp_client"] = Some(Policy + @"\TimeProviders\NtpClient", ClientNames);
			result["ntp_server"] = Some(Policy + @"\TimeProviders\NtpServer", ProviderNames);
			return result;
		}

		/// <summary>What starts and stops the service: [{type, action, guid}]; empty when there is nothing.</summary>
		private static List<object> Triggers()
		{
			List<object> result = new List<object>();
			string path = Service + @"\TriggerInfo";
			foreach (string name in Reg.SubKeys(RegistryHive.LocalMachine, path))
			{
				if (result.Count >= MaxTriggers) { break; }
				Dictionary<string, object> values = Folded(path + @"\" + name);
				Dictionary<string, object> trigger = new Dictionary<string, object>();
				trigger["type"] = Pick(values, "Type");
				trigger["action"] = Pick(values, "Action");
				trigger["guid"] = GuidText(path + @"\" + name);
				result.Add(trigger);
			}
			return result;
		}

		private static string GuidText(string path)
		{
			lock (Reg.Gate)
			using (RegistryKey key = Reg.Open(path))
			{
				if (key == null) { return null; }
				byte[] bytes = null;
				foreach (string name in key.GetValueNames())
				{
					if (string.Equals(name, "GUID", StringComparison.OrdinalIgnoreCase)) { bytes = key.GetValue(name) as byte[]; }
				}
				return bytes != null && bytes.Length == 16 ? new Guid(bytes).ToString("D", CultureInfo.InvariantCulture) : null;
			}
		}

		/// <summary>Secure Time Seeding's last bounds as UTC times; null when it never ran.</summary>
		private static Dictionary<string, object> SecureTimeLimits()
		{
			Dictionary<string, object> values = Folded(Service + @"\SecureTimeLimits");
			if (values == null) { return null; }
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["low_utc"] = FileTime(Pick(values, "SecureTimeLow"));
			result["estimated_utc"] = FileTime(Pick(values, "SecureTimeEstimated"));
			result["high_utc"] = FileTime(Pick(values, "SecureTimeHigh"));
			return result;
		}

		private static string FileTime(object value)
		{
			if (!(value is long)) { return null; }
			try { return Text.Iso(DateTime.FromFileTimeUtc((long)value)); }
			catch (ArgumentOutOfRangeException) { return null; }
		}

		/// <summary>
		/// {"state": enabled | disabled | absent | unknown, "error": ERR | null} of the weekly task. From its file: the registry's TaskCache holds
		/// the same, but in a form that Microsoft does not document. Only administrators may read the file.
		/// </summary>
		private static Dictionary<string, object> SynchronizeTask()
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["state"] = "unknown";
			result["error"] = null;
			try
			{
				string root = Environment.GetEnvironmentVariable("SystemRoot");
				if (string.IsNullOrEmpty(root)) { return result; }
				// A 32-bit process is shown another System32; Sysnative is the way round that.
				string system = Environment.Is64BitOperatingSystem && !Environment.Is64BitProcess ? "Sysnative" : "System32";
				string[] below = new string[] { system, "Tasks", "Microsoft", "Windows", "Time Synchronization", "SynchronizeTime" };
				string path = root;
				foreach (string part in below) { path = Path.Combine(path, part); }
				FileInfo file = new FileInfo(path);
				if (!file.Exists)
				{
					// Exists also says no when access is denied: only an enumerable folder proves the absence.
					if (file.Directory != null && file.Directory.Exists) { file.Directory.GetFiles(); result["state"] = "absent"; }
					return result;
				}
				if (file.Length > MaxTaskBytes) { return result; }
				result["state"] = TaskEnabled(path) ? "enabled" : "disabled";
			}
			catch (Exception error) { result["error"] = Fault.From("file", error); }
			return result;
		}

		/// <summary>Task/Settings/Enabled; a task without that element is enabled. (A trigger has an Enabled of its own.)</summary>
		private static bool TaskEnabled(string path)
		{
			XmlReaderSettings settings = new XmlReaderSettings();
			settings.DtdProcessing = DtdProcessing.Prohibit;
			settings.XmlResolver = null;
			settings.IgnoreWhitespace = true;
			using (FileStream stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
			using (XmlReader reader = XmlReader.Create(stream, settings))
			{
				string parent = null;
				while (reader.Read())
				{
					if (reader.NodeType != XmlNodeType.Element) { continue; }
					if (reader.Depth == 1) { parent = reader.LocalName; }
					if (reader.Depth == 2 && parent == "Settings" && reader.LocalName == "Enabled")
					{
						string text = reader.ReadElementContentAsString().Trim();
						return !(string.Equals(text, "false", StringComparison.OrdinalIgnoreCase) || text == "0");
					}
				}
			}
			return true;
		}

		private static Dictionary<string, object> Zone()
		{
			Dictionary<string, object> values = Folded(ZoneKey);
			Dictionary<string, object> result = new Dictionary<string, object>();
			string key = Pick(values, "TimeZoneKeyName") as string;
			// Windows 7 leaves what was behind the terminating NUL of a longer earlier name in the value.
			int end = key == null ? -1 : key.IndexOfAny(new char[] { '\0', '\uFFFD' });
			if (end >= 0) { key = key.Substring(0, end); }
			result["key"] = key;
			result["dynamic_daylight_disabled"] = Pick(values, "DynamicDaylightTimeDisabled");
			result["bias_min"] = Signed(Pick(values, "Bias"));
			result["active_bias_min"] = Signed(Pick(values, "ActiveTimeBias"));
			object active = result["active_bias_min"];
			// Windows keeps UTC = local time + bias; the usual offset has the other sign. The kernel keeps this value current.
			result["utc_offset_s"] = active is long ? (object)(-60L * (long)active) : null;
			result["real_time_is_universal"] = Pick(values, "RealTimeIsUniversal");
			Dictionary<string, object> data = new Dictionary<string, object>();
			data[Turkey] = ZoneData(Turkey);
			if (!string.IsNullOrEmpty(key) && key.IndexOf('\\') < 0 && !data.ContainsKey(key)) { data[key] = ZoneData(key); }
			result["data"] = data;
			return result;
		}

		/// <summary>A zone's rule now in force, from its TZI value (REG_TZI_FORMAT, little-endian); null when the machine has none.</summary>
		private static Dictionary<string, object> ZoneData(string name)
		{
			byte[] tzi;
			lock (Reg.Gate)
			using (RegistryKey key = Reg.Open(ZoneTable + @"\" + name)) { tzi = key == null ? null : key.GetValue("TZI") as byte[]; }
			if (tzi == null || tzi.Length < 44) { return null; }
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["bias_min"] = (long)Int32(tzi, 0);
			result["standard_bias_min"] = (long)Int32(tzi, 4);
			result["daylight_bias_min"] = (long)Int32(tzi, 8);
			// SYSTEMTIME.wMonth of the two changes; 0 says that there is none.
			result["has_daylight"] = (tzi[14] | tzi[15] << 8) != 0 && (tzi[30] | tzi[31] << 8) != 0;
			return result;
		}

		private static int Int32(byte[] bytes, int at)
		{
			return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
		}

		private static object Signed(object value)
		{
			return value is long && (long)value <= uint.MaxValue ? (object)(long)unchecked((int)(uint)(long)value) : value;
		}

		/// <summary>All values of a key under lower-case names: Windows does not tell spellings of a name apart. Null: no such key.</summary>
		private static Dictionary<string, object> Folded(string path)
		{
			Dictionary<string, object> values = Reg.Values(path);
			if (values == null) { return null; }
			Dictionary<string, object> result = new Dictionary<string, object>();
			foreach (KeyValuePair<string, object> entry in values) { result[entry.Key.ToLowerInvariant()] = entry.Value; }
			return result;
		}

		private static object Pick(Dictionary<string, object> folded, string name)
		{
			object value;
			return folded != null && folded.TryGetValue(name.ToLowerInvariant(), out value) ? value : null;
		}

		/// <summary>The named values, under the names asked for; null when the key is absent.</summary>
		private static Dictionary<string, object> Some(string path, string[] names)
		{
			Dictionary<string, object> folded = Folded(path);
			if (folded == null) { return null; }
			Dictionary<string, object> result = new Dictionary<string, object>();
			foreach (string name in names) { result[name] = Pick(folded, name); }
			return result;
		}
	}
}
