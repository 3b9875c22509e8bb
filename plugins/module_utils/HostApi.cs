// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Principal;

// The adaptors: the few things that no registry value tells. Each one asks Windows, and only reads. The test double puts its own
// answers in through Override, so these few lines are the ones that have never run here; README's "Tested on" names them.
namespace ansible_collections.edefter.ready.plugins.module_utils.HostApi
{
	/// <summary>Answers (question, argument) in the double's stead of Windows; null: Windows is asked.</summary>
	public delegate object Answer(string question, string argument);

	public static class HostApi
	{
		public static Answer Override;

		private static bool preciseMissing;

		/// <summary>The system clock at the best resolution there is (Windows 8+: well under 1 µs; before: about 15 ms).</summary>
		public static DateTime UtcNow()
		{
			if (!preciseMissing)
			{
				try
				{
					long fileTime;
					Native.GetSystemTimePreciseAsFileTime(out fileTime);
					return DateTime.FromFileTimeUtc(fileTime);
				}
				catch (EntryPointNotFoundException) { preciseMissing = true; }
				catch (DllNotFoundException) { preciseMissing = true; }
			}
			return DateTime.UtcNow;
		}

		/// <summary>{"state": "running" | "stopped" | "paused" | "pending" | "absent", "exit_code": long}.</summary>
		public static Dictionary<string, object> Service(string name)
		{
			Dictionary<string, object> fake = Ask("service", name) as Dictionary<string, object>;
			if (fake != null) { return fake; }
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["state"] = "absent";
			result["exit_code"] = null;
			IntPtr manager = Native.OpenSCManager(null, null, Native.ScManagerConnect);
			if (manager == IntPtr.Zero) { throw new UnauthorizedAccessException("OpenSCManager: error " + Marshal.GetLastWin32Error()); }
			try
			{
				IntPtr service = Native.OpenService(manager, name, Native.ServiceQueryStatus);
				if (service == IntPtr.Zero)
				{
					int code = Marshal.GetLastWin32Error();
					if (code == Native.ErrorServiceDoesNotExist) { return result; }
					throw new UnauthorizedAccessException("OpenService: error " + code);
				}
				try
				{
					Native.ServiceStatus status;
					if (!Native.QueryServiceStatus(service, out status)) { throw new InvalidOperationException("QueryServiceStatus: error " + Marshal.GetLastWin32Error()); }
					result["state"] = status.CurrentState == 4 ? "running" : status.CurrentState == 1 ? "stopped" : status.CurrentState == 7 ? "paused" : "pending";
					result["exit_code"] = (long)status.Win32ExitCode;
				}
				finally { Native.CloseServiceHandle(service); }
			}
			finally { Native.CloseServiceHandle(manager); }
			return result;
		}

		/// <summary>
		/// {"machine_role": 0..5 (stand-alone workstation, member workstation, stand-alone server, member server, backup DC, primary DC =
		/// PDC emulator), "domain": text | null, "dns_domain": …, "forest": …}. DsRoleGetPrimaryDomainInformation, a local call.
		/// </summary>
		public static Dictionary<string, object> DomainRole()
		{
			Dictionary<string, object> fake = Ask("domain_role", "") as Dictionary<string, object>;
			if (fake != null) { return fake; }
			IntPtr buffer;
			int code = Native.DsRoleGetPrimaryDomainInformation(null, 1, out buffer);
			if (code != 0) { throw new InvalidOperationException("DsRoleGetPrimaryDomainInformation: error " + code); }
			try
			{
				Native.DsRoleInfo info = (Native.DsRoleInfo)Marshal.PtrToStructure(buffer, typeof(Native.DsRoleInfo));
				Dictionary<string, object> result = new Dictionary<string, object>();
				result["machine_role"] = (long)info.MachineRole;
				result["domain"] = info.DomainNameFlat;
				result["dns_domain"] = info.DomainNameDns;
				result["forest"] = info.DomainForestName;
				return result;
			}
			finally { Native.DsRoleFreeMemory(buffer); }
		}

		/// <summary>The active firewall profiles as the bits of NET_FW_PROFILE_TYPE2: 1 domain, 2 private, 4 public.</summary>
		public static long FirewallProfiles()
		{
			object fake = Ask("firewall_profiles", "");
			if (fake != null) { return Convert.ToInt64(fake, System.Globalization.CultureInfo.InvariantCulture); }
			Type type = Type.GetTypeFromProgID("HNetCfg.FwPolicy2");
			if (type == null) { throw new NotSupportedException("HNetCfg.FwPolicy2 is not registered"); }
			object policy = Activator.CreateInstance(type);
			try
			{
				object value = type.InvokeMember("CurrentProfileTypes", BindingFlags.GetProperty, null, policy, null, System.Globalization.CultureInfo.InvariantCulture);
				return Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
			}
			finally { if (Marshal.IsComObject(policy)) { Marshal.ReleaseComObject(policy); } }
		}

		public static bool IsAdministrator()
		{
			object fake = Ask("is_admin", "");
			if (fake is bool) { return (bool)fake; }
			using (WindowsIdentity identity = WindowsIdentity.GetCurrent())
			{
				return new WindowsPrincipal(identity).IsInRole(WindowsBuiltInRole.Administrator);
			}
		}

		private static object Ask(string question, string argument)
		{
			Answer answer = Override;
			return answer == null ? null : answer(question, argument);
		}
	}

	internal static class Native
	{
		public const int ScManagerConnect = 1;
		public const int ServiceQueryStatus = 4;
		public const int ErrorServiceDoesNotExist = 1060;

		[StructLayout(LayoutKind.Sequential)]
		public struct ServiceStatus
		{
			public int ServiceType;
			public int CurrentState;
			public int ControlsAccepted;
			public int Win32ExitCode;
			public int ServiceSpecificExitCode;
			public int CheckPoint;
			public int WaitHint;
		}

		[StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
		public struct DsRoleInfo
		{
			public int MachineRole;
			public uint Flags;
			[MarshalAs(UnmanagedType.LPWStr)] public string DomainNameFlat;
			[MarshalAs(UnmanagedType.LPWStr)] public string DomainNameDns;
			[MarshalAs(UnmanagedType.LPWStr)] public string DomainForestName;
			public Guid DomainGuid;
		}

		[DllImport("kernel32.dll")]
		public static extern void GetSystemTimePreciseAsFileTime(out long fileTime);

		[DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true, EntryPoint = "OpenSCManagerW")]
		public static extern IntPtr OpenSCManager(string machine, string database, int access);

		[DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true, EntryPoint = "OpenServiceW")]
		public static extern IntPtr OpenService(IntPtr manager, string name, int access);

		[DllImport("advapi32.dll", SetLastError = true)]
		[return: MarshalAs(UnmanagedType.Bool)]
		public static extern bool QueryServiceStatus(IntPtr service, out ServiceStatus status);

		[DllImport("advapi32.dll", SetLastError = true)]
		[return: MarshalAs(UnmanagedType.Bool)]
		public static extern bool CloseServiceHandle(IntPtr handle);

		[DllImport("netapi32.dll", CharSet = CharSet.Unicode)]
		public static extern int DsRoleGetPrimaryDomainInformation(string server, int level, out IntPtr buffer);

		[DllImport("netapi32.dll")]
		public static extern void DsRoleFreeMemory(IntPtr buffer);
	}
}
