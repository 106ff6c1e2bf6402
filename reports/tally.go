package reports

// MainVariant is the variant that runs on the user's policy as it is.
const MainVariant = "policy"

// Subject is tier/name, as findings and ledgers name the identity.
func (t IdentityTally) Subject() string {
	if t.Name == "" {
		return t.Tier
	}
	return t.Tier + "/" + t.Name
}

// Other are the hits that ended neither admitted nor denied.
func (t IdentityTally) Other() int { return t.Refused + t.Failed + t.Lost }

// Total is what all identities of the run sent and how it ended.
func (r *Record) Total() IdentityTally {
	var total IdentityTally
	for _, tally := range r.Identities {
		total.add(tally)
	}
	return total
}

func (t *IdentityTally) add(more IdentityTally) {
	t.Sent += more.Sent
	t.Admitted += more.Admitted
	t.Denied += more.Denied
	t.Refused += more.Refused
	t.Failed += more.Failed
	t.Lost += more.Lost
}
