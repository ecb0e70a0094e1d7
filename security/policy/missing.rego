# What would have to be there for a step to be allowed, in words for a person. No rule reads it.
package bulkhead

missing_of_denial := text if {
	text := missing_texts[sort(denying)[0]]
} else := "a policy of the household's that does not refuse it"

missing_texts := {
	"budget.agent": concat(" ", ["room for another effect of", input.agent, "in its budget of the day or the month"]),
	"budget.amount": concat(" ", ["room for what", action_name, "spends in the budget of its unit"]),
	"budget.user": "room for another effect in this user's budget of the day or the month",
	"deny.money": concat(" ", ["nothing:", action_name, "moves money, and no rule lets anything do that"]),
	"quiet.hours": concat(" ", ["the end of the quiet hours, or priority CRITICAL, for", action_name]),
	"rate.agent": concat(" ", ["room for another effect of", input.agent, "in this hour"]),
	"rate.user": "room for another effect of this user in this hour",
	"touch.unknown": concat(" ", ["a rule for what", action_name, "touches"]),
}

missing_rule := concat(" ", ["a rule for the effect class of", action_name]) if {
	not input.effect in {"read", "write", "egress", "irreversible"}
} else := concat(" ", [action_name, "cannot be undone, and an undo must not be so"]) if {
	input.effect == "irreversible"
} else := concat(" ", ["an audience of", action_name, "that is the owner, or one of the hosts it declares: { host: <egress id> }"]) if {
	input.effect == "egress"
} else := concat(" ", ["a rule for what people other than the owner see of", action_name]) if {
	not input.audience == "owner"
} else := concat(" ", ["an undo that writes;", action_name, "does not"]) if {
	input.kind == "undo"
} else := concat(" ", ["an undo for", action_name])
