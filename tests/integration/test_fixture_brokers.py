"""The brokers that other tests stand on do what those tests take for granted."""

import threading

import paho.mqtt.client as mqtt


def _client(broker, client_id, **credentials):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id)
    if credentials:
        client.username_pw_set(**credentials)
    client.connect(broker.host, broker.port)
    return client


def _echo(broker, payload):
    arrived = threading.Event()
    client = _client(broker, "echo")
    client.on_message = lambda _client, _userdata, message: message.payload == payload and arrived.set()
    client.on_subscribe = lambda client, *_: client.publish("echo/here", payload, qos=1)
    client.on_connect = lambda client, *_: client.subscribe("echo/+", qos=1)
    client.loop_start()
    try:
        return arrived.wait(60)
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_large_message_passes_and_a_killed_broker_comes_back_on_its_port(each_broker):
    payload = bytes(range(256)) * 1000
    assert _echo(each_broker, payload)
    each_broker.kill()
    each_broker.start()
    assert _echo(each_broker, payload)


def test_mosquitto_with_users_refuses_strangers(make_mosquitto):
    broker = make_mosquitto(users={"anna": "a-secret"}, acl="user anna\ntopic readwrite echo/#\n")
    outcome = []
    decided = threading.Event()
    for credentials in ({}, {"username": "anna", "password": "a-secret"}):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if credentials:
            client.username_pw_set(**credentials)
        client.on_connect = lambda _client, _userdata, _flags, reason, _properties: (
            outcome.append(reason.is_failure),
            decided.set(),
        )
        decided.clear()
        client.connect(broker.host, broker.port)
        client.loop_start()
        assert decided.wait(60)
        client.disconnect()
        client.loop_stop()
    assert outcome == [True, False]
