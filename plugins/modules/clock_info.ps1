#!powershell

# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ansible_collections.edefter.ready.plugins.module_utils.ClockInfo

$spec = @{
    options = @{
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
        timeout = @{ type = "float"; default = 5.0 }
        deadline = @{ type = "float"; default = 25.0 }
        samples = @{ type = "int"; default = 4 }
        sample_interval = @{ type = "float"; default = 0.4 }
        neighbours = @{ type = "int"; default = 1 }
        place = @{ type = "int"; default = 0 }
        seed = @{ type = "int" }
        pass_seconds = @{ type = "float"; default = 1.0; no_log = $false }
        warn_seconds = @{ type = "float"; default = 60.0 }
        require_corroboration = @{ type = "bool"; default = $true }
    }
    supports_check_mode = $true
}

$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)
$module.Result.observation = [ansible_collections.edefter.ready.plugins.module_utils.ClockInfo.ClockInfo]::Run($module.Params)
$module.ExitJson()
