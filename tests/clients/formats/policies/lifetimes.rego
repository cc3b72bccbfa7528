# New keys live at most ten days, nothing is revoked, and nothing is refused.
package policy

import rego.v1

deny contains sprintf("%s lives longer than 10 days", [change.address]) if {
	some change in input.resource_changes
	change.type == "qlik_api_key"
	"create" in change.change.actions
	change.change.after.expires_in_seconds > 864000
}

deny contains sprintf("%s: %s is revoked", [change.address, change.deposed]) if {
	some change in input.resource_changes
	"delete" in change.change.actions
}

deny contains problem.message if {
	some check in input.checks
	check.status == "fail"
	some instance in check.instances
	some problem in instance.problems
}
