// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections;
using System.Collections.Generic;
using Microsoft.Win32;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

namespace ansible_collections.edefter.ready.plugins.module_utils.Identity
{
	/// <summary>Section `identity`: what machine this is. Each part keeps its own error; a missing part never spoils the rest.</summary>
	public static class Identity
	{
		private const string Windows = @"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
		private const string TcpIp = @"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
		private const string JoinInfo = @"SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo";
		private const string Bios = @"HARDWARE\DESCRIPTION\System\BIOS";

		public static Dictionary<string, object> Collect(IDictionary options, Deadline deadline)
		{
			Dictionary<string, object> result = new Dictionary<string, object>();
			result["os"] = "windows";
			result["hostname"] = Reg.Str(TcpIp, "Hostname") ?? Environment.MachineName;
			result["dns_suffix"] = Reg.Str(TcpIp, "Domain") ?? Reg.Str(TcpIp, "NV Domain");
			result["product_name"] = Reg.Str(Windows, "ProductName");
			result["edition"] = Reg.Str(Windows, "EditionID");
			result["display_version"] = Reg.Str(Windows, "DisplayVersion") ?? Reg.Str(Windows, "ReleaseId");
			result["build"] = Build();
			// WinNT: workstation, ServerNT: server, LanmanNT: domain controller.
			result["product_type"] = Reg.Str(@"SYSTEM\CurrentControlSet\Control\ProductOptions", "ProductType");
			result["dotnet_release"] = Reg.Num(@"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release");
			result["entra_joined"] = Reg.SubKeys(RegistryHive.LocalMachine, JoinInfo).Length > 0;
			result["manufacturer"] = Reg.Str(Bios, "SystemManufacturer");
			result["model"] = Reg.Str(Bios, "SystemProductName");
			result["hypervisor"] = Hypervisor();
			result["bios_date"] = Reg.Str(Bios, "BIOSReleaseDate");
			result["domain_role"] = null;
			result["domain_role_error"] = null;
			try { result["domain_role"] = HostApi.HostApi.DomainRole(); }
			catch (Exception error) { result["domain_role_error"] = Fault.From("api", error); }
			result["is_admin"] = null;
			try { result["is_admin"] = HostApi.HostApi.IsAdministrator(); }
			catch (Exception) { result["is_admin"] = null; }
			return result;
		}

		private static string Build()
		{
			string number = Reg.Str(Windows, "CurrentBuildNumber") ?? Reg.Str(Windows, "CurrentBuild");
			long? revision = Reg.Num(Windows, "UBR");
			if (number == null || !revision.HasValue) { return number; }
			return number + "." + revision.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
		}

		/// <summary>hyperv, azure, vmware, other or null (none seen). A Hyper-V guest has the integration key; Azure adds its agent.</summary>
		private static string Hypervisor()
		{
			string maker = Reg.Str(Bios, "SystemManufacturer") ?? "";
			string model = Reg.Str(Bios, "SystemProductName") ?? "";
			if (Same(maker, "Microsoft Corporation") && Same(model, "Virtual Machine"))
			{
				return Reg.Exists(@"SOFTWARE\Microsoft\Windows Azure") || Reg.Exists(@"SYSTEM\CurrentControlSet\Services\WindowsAzureGuestAgent") ? "azure" : "hyperv";
			}
			if (maker.StartsWith("VMware", StringComparison.OrdinalIgnoreCase)) { return "vmware"; }
			foreach (string name in new string[] { "QEMU", "Xen", "innotek", "Parallels", "Red Hat", "Nutanix", "Amazon EC2", "Google" })
			{
				if (maker.StartsWith(name, StringComparison.OrdinalIgnoreCase)) { return "other"; }
			}
			return null;
		}

		private static bool Same(string a, string b)
		{
			return string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
		}
	}
}
