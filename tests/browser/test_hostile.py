"""What a prompt contains stays text, and other sites stay out."""

from __future__ import annotations

import aiohttp

from tests.browser.demo_process import DemoProcess
from tests.browser.page_user import PageUser, expect

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script> <svg/onload=alert(1)>",
    "<javascript:alert(1)|click me> [click](javascript:alert(1))",
    "<!channel> <@U0BOB00000> <http://evil.example|bank> *bold* `code`",
    "</textarea><iframe srcdoc='<script>parent.alert(1)</script>'>",
]


async def test_hostile_prompt_stays_text(user: PageUser) -> None:
    for prompt in HOSTILE:
        await user.imagine(prompt)
    await user.press("Approve")
    await user.approved()
    shown = await user.page.locator("#timeline .plain_text").all_text_contents()
    assert shown == [*HOSTILE, HOSTILE[-1]]
    await user.page.get_by_role("button", name="Close the thread").click()
    await user.page.locator("#timeline .picture").last.click()
    caption = f"AI-generated · placeholder, no model: {HOSTILE[-1]}"
    await expect(user.form.locator(".caption")).to_have_text(caption)
    for made in ("script", "iframe", "svg[onload]", "[onerror]", "a[href^=javascript]"):
        await expect(user.page.locator(f"#timeline {made}, dialog {made}")).to_have_count(0)
    await expect(user.page.locator(".mention", has_text="channel")).to_have_count(0)
    await user.screenshot("hostile")


async def test_message_of_a_person_links_to_the_web_alone(user: PageUser) -> None:
    await user.send("javascript:alert(1) http://example.com/x <b>bold</b> @bob *strong*")
    message = user.page.locator("#timeline .message").last
    await expect(message.get_by_role("link")).to_have_count(1)
    await expect(message.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")
    await expect(message).to_contain_text("<b>bold</b>")
    await expect(message.locator(".mention")).to_have_text("@Bob")
    await expect(message.locator("strong").last).to_have_text("strong")


async def test_other_site_cannot_act(demo: DemoProcess) -> None:
    body = {"as": "alice", "channel": "C0GENERAL0", "text": "from elsewhere"}
    async with aiohttp.ClientSession() as session:
        for headers in ({"Origin": "http://evil.example"}, {}):
            url = f"{demo.url}page/do/say"
            async with session.post(url, json=body, headers=headers) as response:
                assert response.status == 403
