# What no approval and no other rule lets through. A fact that is not given never helps: rules ask
# whether it is known to be harmless, not whether it is known to be harmful. Nothing happens yet while a
# plan is judged (`moment` is `plan`), so rules about the time and about what happened lately wait for
# the effect.
package bulkhead

denying contains "deny.money" if {
	not input.effect == "read"
	"money" in input.touches
}

# No table says what to do about it.
denying contains "touch.unknown" if {
	some touch in input.touches
	not touch in known_touches
}

known_touches := {"alarm", "deletion", "door", "lock", "mail", "money", "noise"}

denying contains concat(".", ["household.deny", name]) if {
	input.kind == "do"
	some name in household_names
	settings.deny[name]
}

denying contains "quiet.hours" if {
	happens
	"noise" in input.touches
	not input.priority == "CRITICAL"
	not awake
}

# `to` is the first minute after the quiet, which may run past midnight.
awake if settings.quiet == false

# Past midnight; of hours within one day there is no such minute.
awake if {
	input.minute >= settings.quiet.to
	input.minute < settings.quiet.from
}

awake if {
	settings.quiet.from < settings.quiet.to
	input.minute >= 0
	input.minute < settings.quiet.from
}

awake if {
	settings.quiet.from < settings.quiet.to
	input.minute >= settings.quiet.to
	input.minute < 1440
}

denying contains "rate.agent" if {
	happens
	not has_room_agent
}

has_room_agent if {
	is_number(input.usage.agent)
	input.usage.agent < settings.rates.agentPerHour
}

denying contains "rate.user" if {
	happens
	not has_room_user
}

has_room_user if {
	is_number(input.usage.user)
	input.usage.user < settings.rates.userPerHour
}

denying contains "budget.agent" if {
	happens
	not has_budget_agent
}

has_budget_agent if {
	is_number(input.budget.agentDay)
	is_number(input.budget.agentMonth)
	input.budget.agentDay < budget_of_agent.perDay
	input.budget.agentMonth < budget_of_agent.perMonth
}

budget_of_agent := object.get(settings.budgets.agents, input.agent, settings.budgets.agent)

denying contains "budget.user" if {
	happens
	not has_budget_user
}

has_budget_user if {
	is_number(input.budget.userDay)
	is_number(input.budget.userMonth)
	input.budget.userDay < settings.budgets.user.perDay
	input.budget.userMonth < settings.budgets.user.perMonth
}

denying contains "budget.amount" if {
	beyond_amounts
	not settings.budgets.beyond == "ask"
}

# What was spent, with this effect, is more than was set for its unit; where nothing was set for a
# currency, any of it.
beyond_amounts if {
	happens
	not amounts_known
}

amounts_known if is_array(input.amounts)

beyond_amounts if {
	happens
	some amount in input.amounts
	not has_room_for(amount)
}

has_room_for(amount) if {
	amount.currency == false
	not settings.budgets.amounts[amount.unit]
}

has_room_for(amount) if {
	bound := settings.budgets.amounts[amount.unit]
	amount.amount + amount.agentDay <= bound.agentPerDay
	amount.amount + amount.agentMonth <= bound.agentPerMonth
	amount.amount + amount.userDay <= bound.userPerDay
	amount.amount + amount.userMonth <= bound.userPerMonth
}

# An effect, now. What takes one back is never refused for the hour of day or for how much happened.
happens if {
	changes
	not input.moment == "plan"
}
