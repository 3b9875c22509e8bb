// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System.Collections;
using System.Collections.Generic;
using ansible_collections.edefter.ready.plugins.module_utils.Clock;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

namespace ansible_collections.edefter.ready.plugins.module_utils.ClockInfo
{
	/// <summary>Entry of the module clock_info: the section `clock` alone.</summary>
	public static class ClockInfo
	{
		public static Dictionary<string, object> Run(IDictionary parameters)
		{
			Dictionary<string, Section.Body> bodies = new Dictionary<string, Section.Body>();
			bodies["clock"] = Clock.Clock.Collect;
			return Observer.Observe("clock_info", bodies, parameters);
		}
	}
}
