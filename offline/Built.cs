// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Web.Script.Serialization;
using ansible_collections.edefter.ready.plugins.module_utils.Core;

namespace EdefterKontrol
{
	/// <summary>What the build put inside: the options of the observation (the catalogue), the version and the sums of both.</summary>
	internal sealed class Built
	{
		public readonly string Version;
		public readonly string SourcesSum;
		public readonly string CatalogueSum;
		public readonly IDictionary<string, object> Parameters;

		private Built(IDictionary<string, object> about, IDictionary<string, object> parameters, string catalogueSum)
		{
			Version = Convert.ToString(about["version"], System.Globalization.CultureInfo.InvariantCulture);
			SourcesSum = Convert.ToString(about["sources_sha256"], System.Globalization.CultureInfo.InvariantCulture);
			CatalogueSum = catalogueSum;
			Parameters = parameters;
		}

		public static Built Load()
		{
			byte[] catalogue = Resource("catalogue.json");
			return new Built(Parse(Resource("about.json")), Parse(catalogue), Sum(catalogue));
		}

		/// <summary>The sum of this very file, as `certutil -hashfile` prints it; null when it cannot be read.</summary>
		public static string OwnSum()
		{
			try
			{
				string path = Assembly.GetExecutingAssembly().Location;
				return string.IsNullOrEmpty(path) ? null : Sum(File.ReadAllBytes(path));
			}
			catch (IOException) { return null; }
			catch (UnauthorizedAccessException) { return null; }
		}

		private static IDictionary<string, object> Parse(byte[] json)
		{
			return (IDictionary<string, object>)new JavaScriptSerializer().DeserializeObject(Encoding.UTF8.GetString(json));
		}

		private static string Sum(byte[] bytes)
		{
			// Not SHA256Managed: Windows refuses that one where FIPS mode is on.
			using (SHA256 algorithm = new SHA256CryptoServiceProvider()) { return Text.Hex(algorithm.ComputeHash(bytes), 32); }
		}

		private static byte[] Resource(string name)
		{
			using (Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name))
			using (MemoryStream copy = new MemoryStream())
			{
				stream.CopyTo(copy);
				return copy.ToArray();
			}
		}
	}
}
