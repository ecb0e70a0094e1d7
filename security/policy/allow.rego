# What may happen without anybody being asked. Rules only ever allow: an effect class, a kind or an
# audience that nobody thought of is denied by absence. Each rule is a look-up of a few facts of the
# question; none walks a list that a household can make long.
package bulkhead

# A look at the owner's own things.
allowing contains "read.owner" if {
	input.kind == "do"
	input.effect == "read"
	input.audience == "owner"
}

# A change that only the owner sees and that can be taken back.
allowing contains "write.undoable" if {
	input.kind == "do"
	input.effect == "write"
	input.audience == "owner"
	input.hasUndo == true
}

# What it sends goes to hosts that the manifest declares and nowhere else: the gateway holds each
# request to the declaration's methods, paths and bindings. An id is a name that a manifest gives; one
# called like the widest audience would read as it.
allowing contains "egress.declared" if {
	input.kind == "do"
	input.effect == "egress"
	input.audience.host in input.egress
	not "PUBLIC" in input.egress
}

# Sent, and only the owner reads it, whatever server carries it.
allowing contains "notify.owner" if {
	input.kind == "do"
	input.effect == "egress"
	input.audience == "owner"
}

# Asked of the undo's own action: a plan that was admitted does not make every action harmless that some
# manifest names as an undo.
allowing contains "undo.write" if {
	input.kind == "undo"
	input.effect == "write"
	input.audience == "owner"
}
