# What a person decides on first. An undo of something that was approved is never asked about: it takes
# back what a person already knew of.
package bulkhead

# Cannot be taken back. The one rule that also opens a way: with it, a person may let happen what no
# rule allows.
asking contains "ask.irreversible" if {
	input.kind == "do"
	input.effect == "irreversible"
}

# By what the action touches, unless the household said, loosening on purpose, that it is not to be asked.
asking contains rule if {
	changes
	some touch in input.touches
	rule := asked_touches[touch]
	not settings.unasked[touch]
}

asked_touches := {
	"alarm": "ask.alarm",
	"deletion": "ask.deletion",
	"door": "ask.door",
	"lock": "ask.lock",
	"mail": "ask.mail",
}

# More than was set for it: a person decides. Where the household said that nobody may, `budget.amount`
# denies it.
asking contains "ask.amount" if beyond_amounts

# What the household added: an action by its name, or whatever touches something.
asking contains concat(".", ["household.ask", name]) if {
	changes
	some name in household_names
	settings.ask[name]
}

changes if {
	input.kind == "do"
	not input.effect == "read"
}

# The names under which the household can mean this action.
household_names contains action_name

household_names contains touch if some touch in input.touches

action_name := concat(".", [input.agent, input.action])
