# The verdict over all rules: what one denies is denied; what none allows is denied; what one asks about
# is asked; the rest is allowed. Input is a question (plan/policy.ts, StepQuestion), `data.settings` what
# the household has set (plan/policy-settings.ts).
package bulkhead

settings := data.settings

# Without it every table of the household's would be empty, and nothing added by it in force.
settings_known if settings.version == 1

decision := {"verdict": "deny", "rules": ["policy.settings"], "missing": "the settings of the policy"} if {
	not settings_known
} else := {"verdict": "deny", "rules": sort(denying), "missing": missing_of_denial} if {
	count(denying) > 0
} else := {"verdict": "deny", "rules": sort(allow_rules), "missing": missing_rule} if {
	count(allowing) == 0
	not "ask.irreversible" in asking
} else := {"verdict": "ask", "rules": sort(asking)} if {
	count(asking) > 0
} else := {"verdict": "allow", "rules": sort(allowing)}

# Those that were asked and did not allow it.
allow_rules := {"egress.declared", "notify.owner", "read.owner", "undo.write", "write.undoable"}
