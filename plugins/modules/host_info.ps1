#!powershell

# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ansible_collections.edefter.ready.plugins.module_utils.HostInfo

$spec = @{
    options = @{
        sections = @{
            type = "list"
            elements = "str"
            choices = @("identity", "network", "proxy", "endpoints", "clock", "time", "firewall")
        }
        endpoints = @{
            type = "list"
            elements = "dict"
            options = @{
                id = @{ type = "str"; required = $true }
                host = @{ type = "str"; required = $true }
                port = @{ type = "int"; required = $true }
                scheme = @{ type = "str"; choices = @("http", "https"); default = "https" }
                path = @{ type = "str"; default = "/" }
            }
        }
        time_sources = @{
            type = "list"
            elements = "dict"
            options = @{
                id = @{ type = "str"; required = $true }
                host = @{ type = "str"; required = $true }
                port = @{ type = "int" }
                kind = @{ type = "str"; choices = @("ntp", "https"); default = "ntp" }
                operator = @{ type = "str" }
                path = @{ type = "str"; default = "/" }
            }
        }
        extra_addresses = @{
            type = "list"
            elements = "dict"
            options = @{
                host = @{ type = "str"; required = $true }
                addresses = @{ type = "list"; elements = "str"; required = $true }
            }
        }
        canaries = @{
            type = "list"
            elements = "dict"
            options = @{
                id = @{ type = "str"; required = $true }
                kind = @{ type = "str"; choices = @("random_name", "test_net", "https", "http_text"); required = $true }
                host = @{ type = "str" }
                port = @{ type = "int" }
                path = @{ type = "str"; default = "/" }
                expect = @{ type = "str" }
            }
        }
        timeout = @{ type = "float"; default = 5.0 }
        deadline = @{ type = "float"; default = 25.0 }
        samples = @{ type = "int"; default = 4 }
        sample_interval = @{ type = "float"; default = 0.4 }
        neighbours = @{ type = "int"; default = 1 }
        place = @{ type = "int"; default = 0 }
        seed = @{ type = "int" }
    }
    supports_check_mode = $true
}

$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)
$module.Result.observation = [ansible_collections.edefter.ready.plugins.module_utils.HostInfo.HostInfo]::Run($module.Params)
$module.ExitJson()
