// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Text;
using System.Web.Script.Serialization;

/// <summary>
/// Stands where Windows PowerShell stands: loads the compiled module utils, hands an entry its parameters as Ansible.Basic would, and
/// prints the result with the serializer that Ansible.Basic uses. One JSON request a line on stdin, one JSON reply a line on stdout.
/// </summary>
public static class Harness
{
    private const string Prefix = "ansible_collections.edefter.ready.plugins.module_utils.";
    private static IDictionary<string, object> api = new Dictionary<string, object>();

    public static int Main(string[] args)
    {
        Assembly utils = Assembly.LoadFrom(args[0]);
        Type hostApi = utils.GetType(Prefix + "HostApi.HostApi", false);
        if (hostApi != null)
        {
            FieldInfo seam = hostApi.GetField("Override");
            seam.SetValue(null, Delegate.CreateDelegate(seam.FieldType, typeof(Harness).GetMethod("AnswerFor")));
        }
        JavaScriptSerializer json = new JavaScriptSerializer();
        json.MaxJsonLength = int.MaxValue;
        json.RecursionLimit = 256;
        TextReader input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        TextWriter output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
        for (string line = input.ReadLine(); line != null; line = input.ReadLine())
        {
            Dictionary<string, object> reply = new Dictionary<string, object>();
            try
            {
                IDictionary<string, object> request = (IDictionary<string, object>)json.DeserializeObject(line);
                api = request.ContainsKey("api") && request["api"] != null ? (IDictionary<string, object>)request["api"] : new Dictionary<string, object>();
                if (request.ContainsKey("registry") && request["registry"] != null) { UseRegistry((string)request["registry"]); }
                string entry = (string)request["entry"];
                Type type = utils.GetType(Prefix + entry + "." + entry, true);
                reply["result"] = type.GetMethod("Run").Invoke(null, new object[] { Net(request["params"]) });
            }
            catch (Exception error)
            {
                reply["exception"] = error.ToString();
            }
            output.WriteLine(json.Serialize(reply));
            output.Flush();
        }
        return 0;
    }

    /// <summary>
    /// One process serves many hosts: Mono reads MONO_REGISTRY_PATH once and keeps every key it has seen. Both are put back here, which
    /// also makes it read again what a double changed on disk.
    /// </summary>
    private static void UseRegistry(string folder)
    {
        // The few files that a host has (scheduled tasks, the hosts file) lie beside its registry.
        Environment.SetEnvironmentVariable("SystemRoot", Path.Combine(folder, "SystemRoot"));
        BindingFlags hidden = BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public;
        Type keys = typeof(object).Assembly.GetType("Microsoft.Win32.KeyHandler", true);
        keys.GetField("machine_store", hidden).SetValue(null, folder);
        ((System.Collections.Hashtable)keys.GetField("key_to_handler", hidden).GetValue(null)).Clear();
        ((System.Collections.Hashtable)keys.GetField("dir_to_handler", hidden).GetValue(null)).Clear();
    }

    /// <summary>What the double knows of a host: key "question" or "question:argument". {"throw": text} plays a failing API.</summary>
    public static object AnswerFor(string question, string argument)
    {
        object value;
        // Windows compares service names and the like without regard to case.
        string exact = question + ":" + argument.ToLowerInvariant();
        if (!api.TryGetValue(exact, out value) && !api.TryGetValue(question, out value)) { return null; }
        IDictionary<string, object> dict = value as IDictionary<string, object>;
        if (dict != null && dict.ContainsKey("throw")) { throw new InvalidOperationException((string)dict["throw"]); }
        return Net(value);
    }

    /// <summary>JSON values as the .NET types that Ansible.Basic makes: float → Single, list → List of object, dict → Dictionary.</summary>
    private static object Net(object value)
    {
        if (value is decimal) { return (float)(decimal)value; }
        if (value is double) { return (float)(double)value; }
        IDictionary<string, object> dict = value as IDictionary<string, object>;
        if (dict != null)
        {
            Dictionary<string, object> result = new Dictionary<string, object>();
            foreach (KeyValuePair<string, object> entry in dict) { result[entry.Key] = Net(entry.Value); }
            return result;
        }
        object[] list = value as object[];
        if (list != null)
        {
            List<object> result = new List<object>();
            foreach (object item in list) { result.Add(Net(item)); }
            return result;
        }
        return value;
    }
}
