// The short codes that bots use most; others stay as they are typed, as Slack does with unknown ones.

const CODES = {
  "+1": "👍", "-1": "👎", thumbsup: "👍", thumbsdown: "👎", wave: "👋", tada: "🎉", art: "🎨",
  eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", no_entry: "⛔",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", repeat: "🔁", arrows_counterclockwise: "🔄",
  pencil: "📝", pencil2: "✏️", robot_face: "🤖", sparkles: "✨", frame_with_picture: "🖼️",
  outbox_tray: "📤", inbox_tray: "📥", rocket: "🚀", fire: "🔥", heart: "❤️", star: "⭐", bulb: "💡",
  smile: "😄", slightly_smiling_face: "🙂", thinking_face: "🤔", cry: "😢", joy: "😂", clap: "👏",
  lock: "🔒", key: "🔑", link: "🔗", gear: "⚙️", wrench: "🔧", bug: "🐛", zap: "⚡", point_right: "👉",
};

export const emoji = (name) => CODES[name] ?? `:${name}:`;

export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (code, name) => CODES[name] ?? code);
