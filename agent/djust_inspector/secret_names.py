"""The names that make their values secrets: the one table of them.

The agent imports it; the inspector's exports read the text of this very file (``crates/share/src/names.rs``). So it has
words between triple quotes, and nothing that would have to be run.
"""

#: Words that make a name a secret's, wherever in it they are: `user_password`, `apiToken`, `X-CSRFToken`.
WORDS = """
    password passwd passphrase passcode pwd secret secrets token authorization cookie cookies csrf csrftoken
    csrfmiddlewaretoken xsrf apikey sessionid sessionkey credential credentials jwt cvv cvc ssn iban privatekey
"""

#: Neighbouring words that are a secret together, though neither is alone.
PAIRS = """
    api_key session_key session_id credit_card card_number private_key access_key signing_key encryption_key
    security_code social_security pass_word
"""

#: Names of these words have values with spaces in them.
SPACED = """authorization cookie cookies passphrase"""

#: Words before the credentials of an ``Authorization`` header.
SCHEMES = """bearer basic token digest negotiate apikey jwt key hawk"""

#: djust's own protocol uses this name for what is no secret.
DJUST_OWN = """session_id"""

#: Words that say that there is no value, or that it is no secret.
VISIBLE = """none null true false undefined nan yes no on off"""

#: Attributes and members that say what a value beside them is called.
NAMING = """
    name field key attr attribute id for type http-equiv autocomplete property itemprop dj-model dj-bind v-model x-model
    ng-model formcontrolname data-name data-field data-model
"""

#: Attributes and members that hold the value of what has such a name.
HOLDING = """value content data-value val new old new_value old_value initial default_value"""

#: Steps of a path after which something else than an ordinary word is a secret.
LEADING = """
    reset recover activate activation confirm confirmation verify verification invite invitation magic unsubscribe
    login oauth signup auth
"""
