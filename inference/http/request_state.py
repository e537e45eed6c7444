"""What the server notes in the `state` of a request's ASGI scope for the application; another server notes nothing.

Imports nothing: the server has it before Django is set up.
"""

#: Why no more of its body will come: an InferenceError.
FAULT = "fault"
#: What the server says of bytes that are no request: a status and a message.
REFUSAL = "refusal"
#: What tells whether the client has ended its side of the connection.
HAS_ENDED = "client_has_ended"
#: What has its body end, for its client is too slow.
CUT_OFF = "cut_off"
#: What takes a whole answer at once: its status, its headers as they are sent, and its body; and tells whether it has.
#: ASGI's two messages cost a prediction a tenth of its time. Not there where each answer is to be logged.
ANSWER = "answer"
