// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Globalization;
using System.Threading;

// The threads of the probes.
namespace ansible_collections.edefter.ready.plugins.module_utils.Background
{
	public static class Worker
	{
		private const int StackBytes = 512 * 1024;

		/// <summary>
		/// Runs work on a thread of its own. What leaves a thread uncaught ends the process, and that is the PowerShell that runs the
		/// module, so nothing leaves it: broke is told what nobody foresaw, and says so where the result is missed. null: that the result
		/// is missing says enough.
		/// </summary>
		public static Thread Start(ThreadStart work, Action<Exception> broke)
		{
			Thread thread = new Thread(delegate()
			{
				try { work(); }
				catch (Exception error) { if (broke != null) { broke(error); } }
			}, StackBytes);
			thread.IsBackground = true;
			thread.CurrentCulture = CultureInfo.InvariantCulture;
			thread.CurrentUICulture = CultureInfo.InvariantCulture;
			thread.Start();
			return thread;
		}
	}
}
