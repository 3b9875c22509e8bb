// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System.Collections;
using System.Collections.Generic;
using ansible_collections.edefter.ready.plugins.module_utils.Clock;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Endpoints;
using ansible_collections.edefter.ready.plugins.module_utils.Firewall;
using ansible_collections.edefter.ready.plugins.module_utils.Identity;
using ansible_collections.edefter.ready.plugins.module_utils.Network;
using ansible_collections.edefter.ready.plugins.module_utils.Proxy;
using ansible_collections.edefter.ready.plugins.module_utils.TimeSettings;

namespace ansible_collections.edefter.ready.plugins.module_utils.HostInfo
{
	/// <summary>Entry of the module host_info: every section in one observation.</summary>
	public static class HostInfo
	{
		public static Dictionary<string, object> Run(IDictionary parameters)
		{
			return Observer.Observe("host_info", Bodies(), parameters);
		}

		/// <summary>Every section by name: what the offline check runs too.</summary>
		public static Dictionary<string, Section.Body> Bodies()
		{
			Dictionary<string, Section.Body> bodies = new Dictionary<string, Section.Body>();
			bodies["identity"] = Identity.Identity.Collect;
			bodies["clock"] = Clock.Clock.Collect;
			bodies["network"] = Network.Network.Collect;
			bodies["proxy"] = Proxy.Proxy.Collect;
			bodies["endpoints"] = Endpoints.Endpoints.Collect;
			bodies["firewall"] = Firewall.Firewall.Collect;
			bodies["time"] = TimeSettings.TimeSettings.Collect;
			return bodies;
		}
	}
}
