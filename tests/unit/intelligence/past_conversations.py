"""Calls of two trades with what a careful listener would write down about them. Monday, 2 March 2026."""

from typing import Any

from rymi_server.transcripts.models import Entry, Speaker


def entries(transcript: str) -> list[Entry]:
    """`A: …` is the agent, `U: …` the caller; `U(ann): …` one of several."""
    return [_entry(number, line) for number, line in enumerate(transcript.split("\n"))]


def _entry(number: int, line: str) -> Entry:
    who, _, text = line.partition(": ")
    agent = who == "A"
    identity = None if agent else who[2:-1] or "caller"
    speaker = Speaker.AGENT if agent else Speaker.USER
    return Entry(number, None, identity, speaker, text, number * 1000, number * 1000 + 900, True, "runtime")


CLINIC_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "booked_appointment": {"type": "boolean", "description": "Whether an appointment was booked"},
        "preferred_date": {"type": "string", "format": "date", "description": "Date the caller wants"},
        "preferred_time": {"type": "string", "description": "Time of day the caller wants"},
        "customer_name": {"type": "string"},
        "phone_number": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "callback_requested": {"type": "boolean", "description": "Caller asked to be called back"},
        "do_not_call": {"type": "boolean", "description": "Caller asked not to be called again"},
        "quoted_price": {"type": "number", "description": "Price told to the caller in dollars"},
        "customer_intent": {
            "type": "string",
            "enum": ["booking", "cancel", "question", "complaint", "not_interested", "other"],
        },
    },
}
CLINIC: list[tuple[str, dict[str, Any], str, bool]] = [
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: Hi, I'd like to book an appointment please.
A: Of course. Which day works for you?
U: Next Tuesday at three in the afternoon.
A: May I have your name?
U: Sarah Miller.
A: And your phone number?
U: five five five one two three four five six seven
A: Great, you are booked for Tuesday at three.
U: Perfect, thank you so much!""",
        {
            "booked_appointment": True,
            "preferred_date": "2026-03-10",
            "preferred_time": "15:00",
            "customer_name": "Sarah Miller",
            "phone_number": "5551234567",
            "email": None,
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "booking",
        },
        "positive",
        True,
    ),
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: How much does a checkup cost?
A: A first checkup costs eighty dollars.
U: Oh that's quite expensive. I'll think about it.
A: Would you like me to book a visit anyway?
U: No, not now. Bye.""",
        {
            "booked_appointment": False,
            "preferred_date": None,
            "preferred_time": None,
            "customer_name": None,
            "phone_number": None,
            "email": None,
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": 80,
            "customer_intent": "question",
        },
        "negative",
        False,
    ),
    (
        """\
A: Hello, this is Aria from Northside Dental. Is this a good time?
U: I'm not interested, please stop calling me.
A: I am sorry for the trouble. I will take you off our list.
U: Good.""",
        {
            "booked_appointment": False,
            "preferred_date": None,
            "preferred_time": None,
            "customer_name": None,
            "phone_number": None,
            "email": None,
            "callback_requested": False,
            "do_not_call": True,
            "quoted_price": None,
            "customer_intent": "not_interested",
        },
        "negative",
        False,
    ),
    (
        """\
A: Hello, this is Aria from Northside Dental. Is this a good time?
U: Not really, I'm driving. Can you call me back tomorrow morning?
A: Sure, I will call you tomorrow morning.
U: Thanks, bye.""",
        {
            "booked_appointment": False,
            "preferred_date": "2026-03-03",
            "preferred_time": "morning",
            "customer_name": None,
            "phone_number": None,
            "email": None,
            "callback_requested": True,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "other",
        },
        "neutral",
        False,
    ),
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: I need to cancel my appointment on Friday. My name is John Smith.
A: Your appointment on Friday is cancelled. Would you like a new date?
U: No thank you, I will call again later.
A: All right, have a nice day.""",
        {
            "booked_appointment": False,
            "preferred_date": None,
            "preferred_time": None,
            "customer_name": "John Smith",
            "phone_number": None,
            "email": None,
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "cancel",
        },
        "neutral",
        False,
    ),
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: I was there last week and the filling already fell out. I'm really upset, this is terrible service.
A: I am very sorry to hear that. I can offer you a visit tomorrow at nine free of charge.
U: Fine. Tomorrow at nine then.
A: You are booked for tomorrow at nine. What is your name?
U: It's Linda Garcia.""",
        {
            "booked_appointment": True,
            "preferred_date": "2026-03-03",
            "preferred_time": "09:00",
            "customer_name": "Linda Garcia",
            "phone_number": None,
            "email": None,
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "complaint",
        },
        "negative",
        True,
    ),
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: Are you open on Saturday?
A: Yes, until two in the afternoon.
U: Wonderful, and do you take Delta insurance?
A: Yes, we accept Delta.
U: Great, that's all I wanted to know. You've been very helpful.""",
        {
            "booked_appointment": False,
            "preferred_date": None,
            "preferred_time": None,
            "customer_name": None,
            "phone_number": None,
            "email": None,
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "question",
        },
        "positive",
        False,
    ),
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: Hello, my name is David Brown, I want to schedule a cleaning for March 15th at 10 am.
A: March 15th at 10 is taken. I have March 16th at 11.
U: Yes, the 16th works.
A: Great, I have you down for March 16th at 11. Which email can I use for the confirmation?
U: david dot brown at example dot com
A: Thank you, you are all set.""",
        {
            "booked_appointment": True,
            "preferred_date": "2026-03-16",
            "preferred_time": "11:00",
            "customer_name": "David Brown",
            "phone_number": None,
            "email": "david.brown@example.com",
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "booking",
        },
        "neutral",
        True,
    ),
    (
        """\
A: Hello, this is Aria from Northside Dental.
U: Who is this? Are you a robot?
A: I am a virtual assistant. I am calling about your yearly checkup. It would be 95 dollars.
U: I don't have time for this. Send me an email to mary at example dot org.
A: I will send the details. Goodbye.""",
        {
            "booked_appointment": False,
            "preferred_date": None,
            "preferred_time": None,
            "customer_name": None,
            "phone_number": None,
            "email": "mary@example.org",
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": 95,
            "customer_intent": "other",
        },
        "negative",
        False,
    ),
    (
        """\
A: Thanks for calling Northside Dental, how can I help?
U: I have a terrible toothache, can I come in today?
A: Unfortunately we are full today. Tomorrow at eight thirty?
U: I can't wait until tomorrow. I will try another dentist.
A: I understand. I am sorry we could not help.
U: Okay, bye.""",
        {
            "booked_appointment": False,
            "preferred_date": "2026-03-02",
            "preferred_time": None,
            "customer_name": None,
            "phone_number": None,
            "email": None,
            "callback_requested": False,
            "do_not_call": False,
            "quoted_price": None,
            "customer_intent": "booking",
        },
        "negative",
        False,
    ),
]
CRITERION = "Did the agent successfully book an appointment?"
SOLAR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "interested": {"type": "boolean", "description": "Is the lead interested in solar panels"},
        "meeting_scheduled": {"type": "boolean", "description": "Was a meeting with an advisor scheduled"},
        "owns_home": {"type": "boolean", "description": "Does the person own the home"},
        "monthly_bill": {"type": "number", "description": "Monthly electricity bill amount in dollars"},
        "household_size": {"type": "integer", "description": "How many people live there"},
        "contact_name": {"type": "string"},
        "phone": {"type": "string"},
        "meeting_date": {"type": "string", "format": "date"},
        "roof_type": {"type": "string", "enum": ["flat", "tile", "metal", "unknown"]},
    },
}
SOLAR: list[tuple[str, dict[str, Any], str]] = [
    (
        """\
A: Hi, this is Leo from Bright Solar. Do you own your home?
U: Yes I do.
A: What is your monthly electricity bill?
U: About two hundred and forty dollars.
A: Is your roof flat or tile?
U: It's a tile roof.
A: Would you like a free meeting with an advisor?
U: Sure, Thursday would be good.
A: Great, you are booked for Thursday. Who am I speaking with?
U: Peter Novak.""",
        {
            "interested": True,
            "meeting_scheduled": True,
            "owns_home": True,
            "monthly_bill": 240,
            "household_size": None,
            "contact_name": "Peter Novak",
            "phone": None,
            "meeting_date": "2026-03-05",
            "roof_type": "tile",
        },
        "positive",
    ),
    (
        """\
A: Hi, this is Leo from Bright Solar. Do you own your home?
U: No, we rent.
A: I see, then solar is not an option right now. Thank you for your time.
U: Okay, no problem, bye.""",
        {
            "interested": False,
            "meeting_scheduled": False,
            "owns_home": False,
            "monthly_bill": None,
            "household_size": None,
            "contact_name": None,
            "phone": None,
            "meeting_date": None,
            "roof_type": "unknown",
        },
        "neutral",
    ),
    (
        """\
A: Hi, this is Leo from Bright Solar. Are you interested in solar panels?
U: We had a guy here last year and it was a total rip-off, so no.
A: I understand. May I send you some information?
U: No. Please lose this number.""",
        {
            "interested": False,
            "meeting_scheduled": False,
            "owns_home": None,
            "monthly_bill": None,
            "household_size": None,
            "contact_name": None,
            "phone": None,
            "meeting_date": None,
            "roof_type": "unknown",
        },
        "negative",
    ),
    (
        """\
A: Hi, this is Leo from Bright Solar. Are you interested in solar panels?
U: Yeah we've been thinking about it. There are four of us and the bill is like three hundred bucks.
A: Do you own the home?
U: Yes, with a flat roof.
A: When can our advisor call you?
U: The day after tomorrow, my number is 555 987 6543, ask for Maria.""",
        {
            "interested": True,
            "meeting_scheduled": False,
            "owns_home": True,
            "monthly_bill": 300,
            "household_size": 4,
            "contact_name": "Maria",
            "phone": "5559876543",
            "meeting_date": "2026-03-04",
            "roof_type": "flat",
        },
        "positive",
    ),
    (
        """\
A: Hi, this is Leo from Bright Solar. Are you interested in solar panels?
U: Maybe. How much do they cost?
A: Usually between nine and fifteen thousand dollars.
U: That's way out of our budget right now.
A: Shall I call you again in autumn?
U: Yes, in September.""",
        {
            "interested": None,
            "meeting_scheduled": False,
            "owns_home": None,
            "monthly_bill": None,
            "household_size": None,
            "contact_name": None,
            "phone": None,
            "meeting_date": None,
            "roof_type": "unknown",
        },
        "neutral",
    ),
]
