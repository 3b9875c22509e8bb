// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.Web.Script.Serialization;
using ansible_collections.edefter.ready.plugins.module_utils.HostApi;

namespace EdefterKontrol
{
    /// <summary>
    /// Compiled into the tests' edefter-kontrol.exe only: answers for Windows' interfaces, which Mono has not got, from the JSON in
    /// EDEFTER_DOUBLE_API ("question:argument" -> value, as in Harness.cs).
    /// </summary>
    public static partial class Kontrol
    {
        private static IDictionary<string, object> api;

        static partial void Prepare()
        {
            string text = Environment.GetEnvironmentVariable("EDEFTER_DOUBLE_API") ?? "{}";
            api = (IDictionary<string, object>)new JavaScriptSerializer().DeserializeObject(text);
            HostApi.Override = AnswerFor;
        }

        private static object AnswerFor(string question, string argument)
        {
            object value;
            string exact = question + ":" + argument.ToLowerInvariant();
            if (!api.TryGetValue(exact, out value) && !api.TryGetValue(question, out value)) { return null; }
            IDictionary<string, object> dict = value as IDictionary<string, object>;
            if (dict == null) { return value; }
            if (dict.ContainsKey("throw")) { throw new InvalidOperationException((string)dict["throw"]); }
            return new Dictionary<string, object>(dict);
        }
    }
}
