# What is compiled together with a household's own rules, `package household`: sets of names, `ask` and
# `deny` for rules that look at everything, `ask_for[key]` and `deny_for[key]` for those of one action or
# one thing that is touched. What it does not define is empty. It can only add reasons to ask and to
# refuse; the default policy decides beside it (plan/policy.ts, toPolicy).
#
# A key is looked up and the other rules are never reached, so a thousand rules with keys cost what ten
# cost. A rule without one is tried for every question.
package bulkhead.household

answer := {"ask": sort(asking), "deny": sort(denying)}

asking contains name if some name in data.household.ask

asking contains name if {
	some key in keys
	some name in data.household.ask_for[key]
}

denying contains name if some name in data.household.deny

denying contains name if {
	some key in keys
	some name in data.household.deny_for[key]
}

keys contains concat(".", [input.agent, input.action])

keys contains touch if some touch in input.touches
