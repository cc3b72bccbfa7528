# No plan may hold a key's secret, and every key must say that it has one.
package policy

import rego.v1

keys contains change if {
	some change in input.resource_changes
	change.type == "qlik_api_key"
}

deny contains sprintf("%s: a token is written in clear", [key.address]) if {
	some key in keys
	some side in ["before", "after"]
	key.change[side].token != null
}

deny contains sprintf("%s: the token is not marked as sensitive", [key.address]) if {
	some key in keys
	key.change.after != null
	not key.change.after_sensitive.token
}

# A plan without a single key would prove nothing.
deny contains "there is no key in this plan" if count(keys) == 0
