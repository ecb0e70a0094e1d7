# Each rule: what passes by it, and what does not when one of its conditions is missing. The same
# questions and many more are asked of the compiled policy by the project's own tests.
package bulkhead_test

import data.bulkhead

settings := {
	"version": 1,
	"quiet": {"from": 1320, "to": 420},
	"rates": {"agentPerHour": 3, "userPerHour": 5},
	"ask": {"desk.put": true, "noise": true},
	"deny": {"desk.drop": true, "alarm": true},
	"unasked": {"door": true},
	"budgets": {
		"user": {"perDay": 7, "perMonth": 9},
		"agent": {"perDay": 5, "perMonth": 8},
		"agents": {"car": {"perDay": 2, "perMonth": 4}},
		"amounts": {"EUR": {"agentPerDay": 10, "agentPerMonth": 20, "userPerDay": 15, "userPerMonth": 25}},
		"beyond": "ask",
	},
}

# An undoable write of the owner's, of an action that no setting names.
write := {
	"agent": "desk",
	"action": "set",
	"effect": "write",
	"audience": "owner",
	"egress": [],
	"touches": [],
	"hasUndo": true,
	"kind": "do",
	"moment": "plan",
}

happening := object.union(write, {
	"moment": "effect",
	"priority": "MEDIUM",
	"minute": 720,
	"usage": {"agent": 0, "user": 0},
	"budget": {"agentDay": 0, "agentMonth": 0, "userDay": 0, "userMonth": 0},
	"amounts": [],
})

decide(question) := decision if {
	decision := bulkhead.decision with input as question with data.settings as settings
}

answer(change) := decide(object.union(write, change))

now(change) := decide(object.union(happening, change))

allowed(decision, rule) if decision == {"verdict": "allow", "rules": [rule]}

asked(decision, rule) if decision == {"verdict": "ask", "rules": [rule]}

denied(decision, rule) if {
	decision.verdict == "deny"
	rule in decision.rules
	decision.missing != ""
}

test_read_owner if {
	allowed(answer({"effect": "read"}), "read.owner")
	denied(answer({"effect": "read", "audience": "PUBLIC"}), "read.owner")
	denied(answer({"effect": "read", "kind": "undo"}), "read.owner")
}

test_write_undoable if {
	allowed(answer({}), "write.undoable")
	denied(answer({"hasUndo": false}), "write.undoable")
	denied(answer({"audience": {"host": "api"}, "egress": ["api"]}), "write.undoable")
}

test_egress_declared if {
	request := {"effect": "egress", "audience": {"host": "api"}, "egress": ["api"]}
	allowed(answer(request), "egress.declared")
	denied(answer(object.union(request, {"egress": ["news"]})), "egress.declared")
	denied(answer(object.union(request, {"egress": ["api", "PUBLIC"]})), "egress.declared")
	denied(answer(object.union(request, {"kind": "undo"})), "egress.declared")
}

test_notify_owner if {
	allowed(answer({"effect": "egress"}), "notify.owner")
	denied(answer({"effect": "egress", "audience": "PUBLIC"}), "notify.owner")
	denied(answer({"effect": "egress", "kind": "undo"}), "notify.owner")
}

test_undo_write if {
	allowed(answer({"kind": "undo", "hasUndo": false}), "undo.write")
	denied(answer({"kind": "undo", "effect": "irreversible"}), "undo.write")
	denied(answer({"kind": "undo", "audience": "PUBLIC"}), "undo.write")
}

test_unknown_effect if {
	denied(answer({"effect": "nuke"}), "read.owner")
	denied(answer({"kind": "nuke"}), "read.owner")
}

test_ask_irreversible if {
	asked(answer({"effect": "irreversible", "audience": "PUBLIC"}), "ask.irreversible")
	denied(answer({"effect": "irreversible", "kind": "undo"}), "undo.write")
}

test_ask_by_touch if {
	every touch in {"deletion", "lock", "mail"} {
		asked(answer({"touches": [touch]}), concat(".", ["ask", touch]))
		allowed(answer({"touches": [touch], "kind": "undo"}), "undo.write")
	}
	allowed(answer({"touches": ["door"]}), "write.undoable")
}

test_household_asks if {
	asked(answer({"action": "put"}), "household.ask.desk.put")
	asked(answer({"touches": ["noise"]}), "household.ask.noise")
	allowed(answer({"action": "put", "effect": "read"}), "read.owner")
}

test_household_denies if {
	denied(answer({"action": "drop"}), "household.deny.desk.drop")
	denied(answer({"touches": ["alarm"]}), "household.deny.alarm")
	allowed(answer({"action": "drop", "kind": "undo"}), "undo.write")
}

test_deny_money if {
	denied(answer({"touches": ["money"]}), "deny.money")
	denied(answer({"touches": ["money"], "effect": "irreversible"}), "deny.money")
	allowed(answer({"touches": ["money"], "effect": "read"}), "read.owner")
}

test_touch_unknown if denied(answer({"touches": ["rocket"]}), "touch.unknown")

test_quiet_hours if {
	loud := {"touches": ["noise"], "action": "beep"}
	denied(now(object.union(loud, {"minute": 1320})), "quiet.hours")
	denied(now(object.union(loud, {"minute": null})), "quiet.hours")
	asked(now(object.union(loud, {"minute": 420})), "household.ask.noise")
	asked(now(object.union(loud, {"minute": 0, "priority": "CRITICAL"})), "household.ask.noise")
}

test_quiet_hours_of_one_day if {
	short := object.union(object.remove(settings, ["ask"]), {"quiet": {"from": 60, "to": 120}})
	loud := object.union(happening, {"touches": ["noise"]})
	every minute in [59, 120] {
		at := object.union(loud, {"minute": minute})
		awake := bulkhead.decision with input as at with data.settings as short
		allowed(awake, "write.undoable")
	}
	quiet := object.union(loud, {"minute": 60})
	during := bulkhead.decision with input as quiet with data.settings as short
	denied(during, "quiet.hours")
}

test_no_quiet_hours if {
	loud := object.union(object.remove(settings, ["ask"]), {"quiet": false})
	night := object.union(happening, {"touches": ["noise"], "minute": 0})
	decision := bulkhead.decision with input as night with data.settings as loud
	allowed(decision, "write.undoable")
}

test_rates if {
	allowed(now({"usage": {"agent": 2, "user": 4}}), "write.undoable")
	denied(now({"usage": {"agent": 3, "user": 4}}), "rate.agent")
	denied(now({"usage": {"agent": 2, "user": 5}}), "rate.user")
	denied(now({"usage": {"agent": null, "user": 0}}), "rate.agent")
	denied(now({"usage": {"agent": 0, "user": null}}), "rate.user")
	allowed(now({"usage": {"agent": 9, "user": 9}, "kind": "undo"}), "undo.write")
	allowed(now({"usage": {"agent": 9, "user": 9}, "effect": "read"}), "read.owner")
}

test_budgets_of_effects if {
	last := {"agentDay": 4, "agentMonth": 7, "userDay": 6, "userMonth": 8}
	allowed(now({"budget": last}), "write.undoable")
	every key in ["agentDay", "agentMonth"] {
		denied(now({"budget": object.union(last, {key: last[key] + 1})}), "budget.agent")
		denied(now({"budget": object.union(last, {key: null})}), "budget.agent")
	}
	every key in ["userDay", "userMonth"] {
		denied(now({"budget": object.union(last, {key: last[key] + 1})}), "budget.user")
		denied(now({"budget": object.union(last, {key: null})}), "budget.user")
	}
	denied(now({"agent": "car", "budget": object.union(last, {"agentDay": 2, "agentMonth": 0})}), "budget.agent")
	denied(now({"agent": "car", "budget": object.union(last, {"agentDay": 0, "agentMonth": 4})}), "budget.agent")
	spent := {"agentDay": 9, "agentMonth": 9, "userDay": 9, "userMonth": 9}
	allowed(now({"budget": spent, "kind": "undo"}), "undo.write")
	allowed(now({"budget": spent, "effect": "read"}), "read.owner")
}

paid := {"unit": "EUR", "currency": true, "amount": 4, "agentDay": 6, "agentMonth": 16, "userDay": 11, "userMonth": 21}

test_budgets_of_amounts if {
	allowed(now({"amounts": [paid]}), "write.undoable")
	every key in ["amount", "agentDay", "agentMonth", "userDay", "userMonth"] {
		asked(now({"amounts": [paid, object.union(paid, {key: paid[key] + 1})]}), "ask.amount")
		asked(now({"amounts": [object.remove(paid, [key])]}), "ask.amount")
	}
	asked(now({"amounts": [object.union(paid, {"unit": "CHF", "amount": 0})]}), "ask.amount")
	asked(now({"amounts": [object.union(paid, {"unit": "CHF", "currency": null})]}), "ask.amount")
	allowed(now({"amounts": [object.union(paid, {"unit": "desk.set", "currency": false})]}), "write.undoable")
	asked(now({"amounts": [object.union(paid, {"amount": 5, "currency": false})]}), "ask.amount")
	asked(now({"amounts": null}), "ask.amount")
	allowed(answer({"amounts": [object.union(paid, {"amount": 5})]}), "write.undoable")
	strict := object.union(settings, {"budgets": {"beyond": "deny"}})
	spending := object.union(happening, {"amounts": [object.union(paid, {"amount": 5})]})
	refused := bulkhead.decision with input as spending with data.settings as strict
	denied(refused, "budget.amount")
}

test_settings_missing if {
	decision := bulkhead.decision with input as write with data.settings as {}
	denied(decision, "policy.settings")
}

test_missing_words if {
	answer({"hasUndo": false}).missing == "an undo for desk.set"
	contains(answer({"effect": "nuke"}).missing, "the effect class of desk.set")
	contains(answer({"audience": "PUBLIC"}).missing, "other than the owner")
	contains(answer({"effect": "egress", "audience": "PUBLIC"}).missing, "an audience of desk.set")
	contains(answer({"kind": "undo", "effect": "read"}).missing, "an undo that writes")
	contains(answer({"kind": "undo", "effect": "irreversible"}).missing, "cannot be undone")
	contains(answer({"action": "drop"}).missing, "the household's")
}
