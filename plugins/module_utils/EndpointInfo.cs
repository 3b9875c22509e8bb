// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System.Collections;
using System.Collections.Generic;
using ansible_collections.edefter.ready.plugins.module_utils.Core;
using ansible_collections.edefter.ready.plugins.module_utils.Endpoints;
using ansible_collections.edefter.ready.plugins.module_utils.Network;
using ansible_collections.edefter.ready.plugins.module_utils.Proxy;

namespace ansible_collections.edefter.ready.plugins.module_utils.EndpointInfo
{
	/// <summary>Entry of the module endpoint_info.</summary>
	public static class EndpointInfo
	{
		public static Dictionary<string, object> Run(IDictionary parameters)
		{
			Dictionary<string, Section.Body> bodies = new Dictionary<string, Section.Body>();
			bodies["endpoints"] = Endpoints.Endpoints.Collect;
			bodies["proxy"] = Proxy.Proxy.Collect;
			bodies["network"] = Network.Network.Collect;
			return Observer.Observe("endpoint_info", bodies, parameters);
		}
	}
}
